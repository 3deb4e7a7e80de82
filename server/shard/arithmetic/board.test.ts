import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { awaitFinished, createBoard, finish, fitting, planOn, post, programAt, take, takeAll } from "./board.js";
import type { ChunkProgram } from "./program.js";
import { updatePlan } from "./run-program.js";
import { planFor } from "./sums.test.helper.js";

const address = fc.nat(2 ** 31).map((at) => 4 * Math.floor(at / 4));
const RECORD = { noNullPrototype: true } as const;
const operand = fc.record(
  {
    s1: address,
    s2: address,
    own: fc.boolean(),
    file: fc.option(fc.nat(1000), { nil: undefined }),
    leaf: fc.option(fc.record({ w1: fc.double({ noNaN: true }), w2: fc.double({ noNaN: true }) }, RECORD), {
      nil: undefined,
    }),
  },
  RECORD,
);
const program: fc.Arbitrary<ChunkProgram> = fc.record(
  {
    chunk: fc.nat(10_000),
    operands: fc.array(operand, { minLength: 1, maxLength: 31 }),
    target: fc.option(fc.record({ s1: address, s2: address, raw: fc.boolean() }, RECORD), { nil: undefined }),
  },
  RECORD,
);
const small = (count: number): ChunkProgram[] =>
  Array.from({ length: count }, (_, chunk) => ({ chunk, operands: [], target: undefined }));

describe("a board", { timeout: 120_000 }, () => {
  it("shows the programs and the plan that were posted", () => {
    fc.assert(
      fc.property(fc.array(program, { minLength: 1, maxLength: 20 }), fc.boolean(), (programs, squareOfSum) => {
        const board = createBoard();
        const plan = updatePlan(planFor(3, squareOfSum));
        assert.equal(fitting(programs), programs.length);
        post(board, programs, plan);
        assert.deepEqual(
          programs.map((_, index) => programAt(board, index)),
          programs,
        );
        const { microBatches, decaying, plain } = planOn(board)!;
        const { c1, c2, ...constants } = planFor(3, squareOfSum).coefficients;
        assert.deepEqual([microBatches, decaying, plain], [3, constants, { ...constants, decay: 0 }]);
      }),
      { numRuns: 50 },
    );
  });

  it("holds a part of what is too much for it", () => {
    const programs = small(20_000);
    const count = fitting(programs);
    assert.ok(count > 1000 && count < programs.length);
    const board = createBoard();
    post(board, programs.slice(0, count), undefined);
    assert.equal(programAt(board, count - 1).chunk, count - 1);
    assert.throws(() => post(board, programs.slice(0, count + 1), undefined), RangeError);
  });

  it("is finished when what was taken is, though the rest was given up", () => {
    const board = createBoard();
    post(board, small(5), undefined);
    const index = take(board)!;
    takeAll(board);
    assert.equal(take(board), undefined);
    assert.equal(awaitFinished(board, 100), false);
    finish(board, index, undefined);
    assert.ok(awaitFinished(board, 100));
  });

  it("gives each program to one of several threads, batch after batch", async (test) => {
    const board = createBoard();
    const [batches, count] = [200, 500];
    const taken = new Int32Array(new SharedArrayBuffer(4 * count));
    const helper = new URL("./counting-helper.test.helper.js", import.meta.url);
    const helpers = [1, 2, 3].map(() => new Worker(helper, { workerData: { board, taken } }));
    test.after(() => Promise.all(helpers.map((worker) => worker.terminate())));
    await Promise.all(helpers.map((worker) => once(worker, "online")));
    for (let batch = 0; batch < batches; batch++) {
      post(board, small(count), undefined);
      for (let index = take(board); index !== undefined; index = take(board)) {
        Atomics.add(taken, index, 1);
        finish(board, index, undefined);
      }
      assert.ok(awaitFinished(board, 60_000));
    }
    assert.ok(taken.every((times) => times === batches));
  });
});
