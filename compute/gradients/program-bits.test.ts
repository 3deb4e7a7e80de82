import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Compiler, Program } from "../../backends/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { fakeModel, uncompilable, writing } from "./fake-compiler.test.helper.js";

describe("a model whose gradient has its program's bits", () => {
  it("is computed by its program from the first micro-batch on, in any thread and whenever that starts", () => {
    const program = { run: writing(1e-7, 1e-6) };
    const [early, late] = [1, 2].map(() => fakeModel("program", { program }));
    const byProgram = (number: number) => [number + 1e-7, number * 0.5, number * -3 + 1e-6].map(Math.fround);
    for (const number of [1, 2, 3]) assert.deepEqual(early.gradientOf(number), byProgram(number));
    assert.deepEqual(late.gradientOf(3), byProgram(3));
    // Two are traced; two are compared, one of them with other weights.
    assert.deepEqual([early.did, early.reasons], [{ eager: 4, traced: 2, closed: 0 }, []]);
    assert.deepEqual(early.weights(), Float32Array.of(0.5, -3));
    early.computing.dispose();
    assert.equal(early.did.closed, 1);
  });

  it("is traced with its first micro-batch and one of another number and order", () => {
    const { gradientOf, traced } = fakeModel("program");
    gradientOf(7);
    assert.deepEqual(
      traced.map(({ number, inputs, labels }) => [number, [...inputs], [...labels]]),
      [
        [8, [2, 3, 4, 5, 6, 7, 7, 1], [1, 2, 3, 0]],
        [7, [7, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3]],
      ],
    );
  });

  it("is computed operation by operation if it can't be compiled, which is reported once", () => {
    const trace: Compiler["trace"] = (computation) => {
      computation();
      return uncompilable("it is odd")();
    };
    for (const [compiler, reason, eager] of [
      [{ trace }, "it is odd", 4],
      [{ compile: uncompilable("they differ") }, "they differ", 7],
    ] as const) {
      const { compute, did, reasons } = fakeModel("program", { compiler });
      compute(3);
      assert.deepEqual([did.eager, reasons], [eager, [reason]]);
    }
  });

  it("ends with a sentence, each time, if the program can't be trusted", () => {
    let runs = 0;
    const changing: Program["run"] = (...args) => writing(0, 1e-6 * runs++)(...args);
    const broken = (): never => {
      throw new Error("no kernel\nHint: none");
    };
    for (const [differently, reason] of [
      [{ program: { run: changing } }, "two runs of its program gave different bits"],
      [
        { program: { run: writing(0, -0.3) } },
        "its program differs from its operations: w by 9.9 % of its norm, of which 0.1 % are allowed",
      ],
      [{ program: { run: broken } }, "its program fails (no kernel)"],
      [{ compiler: { compile: broken } }, "it can't be compiled (no kernel)"],
    ] as const) {
      const { gradientOf, reasons } = fakeModel("program", differently);
      for (let times = 0; times < 2; times++) {
        assert.throws(
          () => gradientOf(1),
          (error) => {
            assert.ok(error instanceof IsobatchError);
            assert.equal(error.code, "failed");
            assert.equal(
              error.message,
              `The model's compiled gradient can't be used here: ${reason}; set ISOBATCH_TENSORFLOW_PROGRAM=off on all workers of ` +
                "the run to compute without it, which is a separate numerics class.",
            );
            return true;
          },
        );
      }
      assert.deepEqual(reasons, []);
    }
  });

  it("leaves a lack of memory to the search for how many samples fit", () => {
    const noMemory = (): never => {
      throw new Error("OOM when allocating tensor");
    };
    for (const differently of [{ program: { run: noMemory } }, { compiler: { compile: noMemory } }]) {
      assert.throws(() => fakeModel("program", differently).gradientOf(1), /^Error: OOM when allocating tensor$/);
    }
  });

  it("is proven with the next micro-batch if the first is not finite, and has the program's numbers in both", () => {
    let infinite = true;
    const run: Program["run"] = (inputs, outputs) => {
      if (!infinite) return writing(0, -0.3)(inputs, outputs);
      outputs[0][0][0] = Number.POSITIVE_INFINITY;
      outputs[1][0].fill(1);
      return false;
    };
    const lossOf = (number: number): number => (infinite ? Number.POSITIVE_INFINITY : number);
    const { gradientOf, did } = fakeModel("program", { program: { run }, lossOf });
    assert.deepEqual(gradientOf(1), [Number.POSITIVE_INFINITY, 1, 1]);
    infinite = false;
    assert.throws(() => gradientOf(1), /its program differs from its operations/);
    assert.equal(did.traced, 2);
  });
});
