import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LayoutTensor } from "../../shared/layout/index.js";
import { type Compiler, type Program, UncompilableError } from "../backends/index.js";
import { compiledGradient } from "./compiled-gradient.js";
import type { DecodedMicroBatch, ModelGradient } from "./model-gradient.js";

const TENSOR: LayoutTensor = { name: "w", shape: [2], kind: "parameter", decay: true, offset: 0, length: 2 };
const WEIGHTS = Float32Array.of(0.5, -3);
const TARGET = [0];

const batchOf = (number: number): DecodedMicroBatch => ({
  number,
  samples: 4,
  inputs: Float32Array.of(number),
  labels: Float32Array.of(0),
});

/** A model whose loss is n and whose gradient is n·w, and a compiler of programs that compute the same. */
function setUp(differently: { compiler?: Partial<Compiler>; program?: Partial<Program> } = {}) {
  const gradient = new Float32Array(2);
  const did = { eager: 0, traced: 0, closed: 0 };
  const reasons: string[] = [];
  const program: Program = {
    draws: [],
    load() {},
    variables: () => [WEIGHTS],
    run([[number]], [[loss], [g]]) {
      loss[0] = number;
      g.set(WEIGHTS.map((w) => number * w));
      return true;
    },
    close: () => void did.closed++,
    ...differently.program,
  };
  const compiler: Compiler = {
    onDevice: false,
    trace(computation) {
      computation();
      return { operations: ++did.traced };
    },
    compile: () => program,
    ...differently.compiler,
  };
  const model = {
    weights: [TENSOR],
    results: [TENSOR],
    draws: () => [],
    currentWeights: () => [WEIGHTS],
    compute({ number }, _target, watch = (compute) => void compute()) {
      did.eager++;
      watch(() => ({ variables: [], inputs: [], draws: [], outputs: [] }));
      gradient.set(WEIGHTS.map((w) => number * w));
      return number;
    },
    dispose() {},
  } satisfies Partial<ModelGradient> as unknown as ModelGradient;
  const computing = compiledGradient({
    compiler,
    model,
    weightsAt: () => TARGET,
    copies: { views: () => [gradient] },
    refused: (reason) => reasons.push(reason),
  });
  /** Computes micro-batches 1, 2, …, all of which must come out right. */
  const compute = (count: number): void => {
    for (let number = 1; number <= count; number++) {
      gradient.fill(Number.NaN);
      assert.equal(computing.compute(batchOf(number), TARGET).loss, number);
      assert.deepEqual([...gradient], [number * 0.5, number * -3]);
    }
  };
  return { compute, did, reasons, computing };
}

const uncompilable = (message: string) => (): never => {
  throw new UncompilableError(message);
};

describe("a model that is compiled", () => {
  it("is computed by its program from the fourth micro-batch on, which is closed with it", () => {
    const { compute, did, reasons, computing } = setUp();
    compute(6);
    assert.deepEqual([did, reasons], [{ eager: 3, traced: 2, closed: 0 }, []]);
    computing.dispose();
    assert.equal(did.closed, 1);
  });

  it("is computed operation by operation for good when it can't be traced", () => {
    const trace: Compiler["trace"] = (computation) => {
      computation();
      throw new UncompilableError("it is odd");
    };
    const { compute, did, reasons } = setUp({ compiler: { trace } });
    compute(6);
    assert.deepEqual([did, reasons], [{ eager: 6, traced: 0, closed: 0 }, ["it is odd"]]);
  });

  it("is traced four times at most when no two traces agree, and not again after any other error", () => {
    const odd = setUp({ compiler: { compile: uncompilable("they differ") } });
    odd.compute(7);
    assert.deepEqual([odd.did, odd.reasons], [{ eager: 7, traced: 4, closed: 0 }, ["they differ"]]);
    const broken = setUp({
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
    const others = "the compiled program's bits are others";
    const writing =
      (lossError: number, gradientError: number): Program["run"] =>
      ([[number]], [[loss], [g]]) => {
        loss[0] = number + lossError;
        g.set([number * 0.5, number * -3 + gradientError]);
        return true;
      };
    const runs: [Program["run"], string][] = [
      [uncompilable("it fails"), "it fails"],
      [writing(0, 1e-6), others],
      [writing(1e-6, 0), others],
    ];
    for (const [run, reason] of runs) {
      const { compute, did, reasons, computing } = setUp({ program: { run } });
      compute(6);
      computing.dispose();
      assert.deepEqual([did, reasons], [{ eager: 6, traced: 2, closed: 1 }, [reason]]);
    }
  });
});
