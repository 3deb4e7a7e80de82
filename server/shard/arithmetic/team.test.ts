import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { createLayout } from "../../../shared/layout/index.js";
import { awaitFinished, createBoard, failureOn, normsOf, type ProgramBoard, post, take } from "./board.js";
import type { HelperStart } from "./helpers.js";
import type { ChunkProgram } from "./program.js";
import { SCRATCH_BYTES, updatePlan } from "./run-program.js";
import { createSegment, placeOf } from "./segment.js";
import { bitsOf, numbersOf, planFor } from "./sums.test.helper.js";
import { createTeam, type Team } from "./team.js";

const LAYOUT = createLayout([
  { name: "a/kernel", shape: [500_000], kind: "parameter", decay: true },
  { name: "a/bias", shape: [20_000], kind: "parameter", decay: false },
]);
const { chunks } = LAYOUT;
const PLAN = planFor(2);
const DEADLINE_MS = 60_000;
const helperThread = new URL("./helper-thread.js", import.meta.url);

const numbers = numbersOf(9);
const [THETA, M, V, ...LEAVES] = Array.from({ length: 5 }, () => numbers(LAYOUT.length));

/** A segment with weights, moments and two gradients, the same each time, and programs that update all chunks. */
function workplace() {
  const segment = createSegment(LAYOUT, 0, chunks);
  const { memory, m, v } = segment;
  const put = (at: number, values: Float32Array): number => {
    new Float32Array(memory.buffer, at, LAYOUT.length).set(values);
    return at;
  };
  put(0, THETA);
  put(m, M);
  put(v, V.map(Math.abs));
  const leaves = LEAVES.map((leaf) => put(segment.regions.take(4 * LAYOUT.length), leaf));
  const places = new Map(chunks.map((chunk) => [chunk.index, placeOf(LAYOUT, chunk, 0, 0)]));
  const programs = chunks.map(
    ({ index, offset }): ChunkProgram => ({
      chunk: index,
      operands: leaves.map((at, i) => ({
        s1: at + 4 * offset,
        s2: 0,
        file: undefined,
        own: false,
        leaf: { w1: 1 / (i + 1), w2: 2 },
      })),
      target: undefined,
    }),
  );
  const bits = () => [0, m, v].map((at) => bitsOf(new Float32Array(memory.buffer, at, LAYOUT.length)));
  return { segment, places, programs, bits };
}

function teamOf(
  test: TestContext,
  { segment, places }: ReturnType<typeof workplace>,
  threads: number,
  more: { helper?: URL; patienceMs?: number } = {},
): Team {
  const team = createTeam({ segments: [segment], places, threads, ...more });
  test.after(() => team.close());
  return team;
}

/** A helper thread that works without others. */
function startHelper(test: TestContext, { segment, places }: ReturnType<typeof workplace>): ProgramBoard {
  const board = createBoard();
  const { memory, m, v, sumBytes, regions } = segment;
  const workerData: HelperStart = {
    trace: undefined,
    board,
    places,
    segments: [{ memory, m, v, sumBytes }],
    scratches: [regions.take(SCRATCH_BYTES)],
  };
  const helper = new Worker(helperThread, { workerData });
  test.after(() => helper.terminate());
  return board;
}

describe("createTeam()", () => {
  it("computes the same bits with any number of threads, step after step", (test) => {
    const results = [1, 2, 4].map((threads) => {
      const place = workplace();
      const team = teamOf(test, place, threads);
      const norms = Array.from({ length: 10 }, () => team.run(place.programs, PLAN));
      return { norms, bits: place.bits() };
    });
    assert.deepEqual(
      results[0].norms[0].map(({ chunk }) => chunk),
      chunks.map(({ index }) => index),
    );
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
  });

  it("fails when a helper has died over a program", async (test) => {
    const place = workplace();
    const helper = new URL("./dying-helper.test.helper.js", import.meta.url);
    const team = teamOf(test, place, 2, { helper, patienceMs: 200 });
    await assertFails(() => team.run(place.programs, PLAN), /has died in the middle of a step, or hangs/);
    assert.throws(() => team.run(place.programs, PLAN), /died/, "and ever after");
  });

  it("fails when a helper has ended between two steps", async (test) => {
    const place = workplace();
    const helper = new URL("./leaving-helper.test.helper.js", import.meta.url);
    const team = teamOf(test, place, 2, { helper });
    await assertFails(() => team.run(place.programs, PLAN), /A helper thread of the shard has ended/);
  });

  it("does not keep its process alive", async () => {
    const program = fileURLToPath(new URL("./process-with-helpers.test.helper.js", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: DEADLINE_MS });
    assert.equal(stdout, "8\n");
  });
});

describe("a helper thread", () => {
  it("runs a batch to the bits and norms of the calling thread", (test) => {
    const [alone, helped] = [workplace(), workplace()];
    const updated = teamOf(test, alone, 1).run(alone.programs, PLAN);
    const board = startHelper(test, helped);
    post(board, helped.programs, updatePlan(PLAN));
    assert.ok(awaitFinished(board, DEADLINE_MS));
    assert.deepEqual(
      helped.programs.map(({ chunk }, index) => ({ chunk, norms: normsOf(board, index) })),
      updated,
    );
    assert.deepEqual(helped.bits(), alone.bits());
    assert.equal(take(board), undefined);
  });

  it("passes on why a program could not be run, and continues", (test) => {
    const place = workplace();
    const board = startHelper(test, place);
    const [good, other] = place.programs;
    const noFile = 1_000_000;
    const bad: ChunkProgram = { ...other, operands: [{ ...other.operands[0], file: noFile }] };
    post(board, [good, bad], updatePlan(PLAN));
    assert.ok(awaitFinished(board, DEADLINE_MS));
    assert.match(failureOn(board)?.message ?? "", /EBADF/);
    post(board, [good], updatePlan(PLAN));
    assert.ok(awaitFinished(board, DEADLINE_MS));
    assert.equal(failureOn(board), undefined);
    assert.ok(Number.isFinite(normsOf(board, 0)?.squaredNorm1));
  });
});

async function assertFails(run: () => unknown, message: RegExp): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    try {
      run();
    } catch (error) {
      return assert.match(String(error), message);
    }
    assert.ok(Date.now() < deadline, "it never failed");
    await delay(1);
  }
}
