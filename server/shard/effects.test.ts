import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLayout } from "../../shared/layout/index.js";
import type { SumsSource } from "./arithmetic/source.js";
import type { SliceMove } from "./arithmetic/staged.js";
import { planFor } from "./arithmetic/sums.test.helper.js";
import { createEffects, workOf } from "./effects.js";
import { createMeasures } from "./measures.js";
import { createSlice } from "./slice.js";

const LAYOUT = createLayout([{ name: "a/kernel", shape: [10_000], kind: "parameter", decay: true }]);
const PLAN = planFor(2);
const LEAF = { w1: 1, w2: 1 };

describe("a step of sums that a worker lends", () => {
  const cases: [name: string, first: number, second: number][] = [
    ["holds NaN though its worker checks for it", Number.NaN, 1],
    ["is infinite though its worker checks for it", 1, -Infinity],
    ["is finite, and overflows when it is squared", 1e30, 1],
    ["is finite, and overflows when it is added", 3e38, 3e38],
  ];
  for (const [name, first, second] of cases) {
    it(`ends the run, and is seen by nobody, if one of them ${name}`, () => {
      const slice = createSlice(LAYOUT, { firstChunk: 0, endChunk: LAYOUT.chunks.length }, 1);
      const [{ memory, reserve }] = slice.memories;
      const published: unknown[] = [];
      const unused = () => assert.fail("not of interest here");
      const perform = createEffects({
        layout: LAYOUT,
        frozen: [],
        slice,
        measures: createMeasures(),
        term: () => 1,
        store: { load: unused, dropNewerThan: unused },
        writer: { write: unused },
        publisher: { publish: (...chunk) => published.push(chunk), retract: unused, watch: unused },
        sharing: undefined,
        dispatch: unused,
        report: unused,
      });
      const send = (bad: number, moves: (chunk: number) => SliceMove[]): void => {
        const at = reserve(4 * LAYOUT.length);
        const g = new Float32Array(memory.buffer, at, LAYOUT.length).fill(0.1);
        g[g.length - 1] = bad;
        const incoming = (chunk: number): SumsSource => {
          return { kind: "memory", s1: at + 4 * LAYOUT.chunks[chunk].offset, s2: 0, lend: true };
        };
        const all = LAYOUT.chunks.flatMap(({ index }) => moves(index));
        const publish = { kind: "publish", chunk: 0, term: 1, version: PLAN.step + 1 } as const;
        const effects = all.some(({ kind }) => kind === "apply") ? [...all, publish] : all;
        for (const work of workOf(effects, incoming)) perform(work);
      };
      send(first, (chunk) => [{ kind: "stage", chunk, slot: chunk, leaf: LEAF }]);
      const completed = (chunk: number): SliceMove[] => [
        { kind: "accumulate", chunk, slot: chunk, leaf: LEAF },
        { kind: "apply", chunk, slot: chunk, plan: PLAN },
      ];
      assert.throws(() => send(second, completed), {
        code: "diverged",
        message: /^The run has diverged at step 5: the sums of micro-batches 10 to 11 overflow float32; /,
      });
      assert.deepEqual(published, []);
    });
  }
});
