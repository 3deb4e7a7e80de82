/** A process that has computed with helper threads, and then has nothing left to do. */
import { createLayout } from "../../../shared/layout/index.js";
import { createSlice } from "../slice.js";
import { planFor } from "./sums.test.helper.js";

const layout = createLayout([{ name: "a/kernel", shape: [600_000], kind: "parameter", decay: true }]);
const slice = createSlice(layout, { firstChunk: 0, endChunk: layout.chunks.length }, 3);
const at = slice.memories[0].reserve(4 * layout.length);
const moves = layout.chunks.flatMap(({ index: chunk }) => [
  { kind: "stage", chunk, slot: chunk, leaf: { w1: 1, w2: 1 } } as const,
  { kind: "apply", chunk, slot: chunk, plan: planFor(1) } as const,
]);
const s1 = (chunk: number): number => at + 4 * layout.chunks[chunk].offset;
const updated = slice.perform(moves, (chunk) => ({ kind: "memory", s1: s1(chunk), s2: 0, lend: true }));
console.log(updated.length);
