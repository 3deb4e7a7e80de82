import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Compiler, Program } from "../../backends/index.js";
import { fakeModel, uncompilable, writing } from "./fake-compiler.test.helper.js";

describe("a model whose program must have the operations' bits", () => {
  it("is computed by its program from the fourth micro-batch on, which is closed with it", () => {
    const { compute, did, reasons, computing } = fakeModel("operations");
    compute(6);
    assert.deepEqual([did, reasons], [{ eager: 3, traced: 2, closed: 0 }, []]);
    computing.dispose();
    assert.equal(did.closed, 1);
  });

  it("is computed operation by operation for good when it can't be traced", () => {
    const trace: Compiler["trace"] = (computation) => {
      computation();
      return uncompilable("it is odd")();
    };
    const { compute, did, reasons } = fakeModel("operations", { compiler: { trace } });
    compute(6);
    assert.deepEqual([did, reasons], [{ eager: 6, traced: 0, closed: 0 }, ["it is odd"]]);
  });

  it("is traced four times at most when no two traces agree, and not again after any other error", () => {
    const odd = fakeModel("operations", { compiler: { compile: uncompilable("they differ") } });
    odd.compute(7);
    assert.deepEqual([odd.did, odd.reasons], [{ eager: 7, traced: 4, closed: 0 }, ["they differ"]]);
    const broken = fakeModel("operations", {
      compiler: {
        compile() {
          throw new Error("no memory");
        },
      },
    });
    broken.compute(7);
    assert.deepEqual([broken.did, broken.reasons], [{ eager: 7, traced: 2, closed: 0 }, ["no memory"]]);
  });

  it("is computed operation by operation when its program fails, or differs in a bit", () => {
    const others = "the compiled program gives different bits";
    const runs: [Program["run"], string][] = [
      [uncompilable("it fails"), "it fails"],
      [writing(0, 1e-6), others],
      [writing(1e-6, 0), others],
    ];
    for (const [run, reason] of runs) {
      const { compute, did, reasons, computing } = fakeModel("operations", { program: { run } });
      compute(6);
      computing.dispose();
      assert.deepEqual([did, reasons], [{ eager: 6, traced: 2, closed: 1 }, [reason]]);
    }
  });
});
