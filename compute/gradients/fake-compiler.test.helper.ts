import assert from "node:assert/strict";
import { type Compiler, type Program, UncompilableError } from "../../backends/index.js";
import type { LayoutTensor } from "../../shared/layout/index.js";
import { compiledGradient } from "./compiled-gradient.js";
import type { GradientComputing } from "./gradient-computing.js";
import type { DecodedMicroBatch, ModelGradient } from "./model-gradient.js";

const TENSOR: LayoutTensor = { name: "w", shape: [2], kind: "parameter", decay: true, offset: 0, length: 2 };
const WEIGHTS = Float32Array.of(0.5, -3);
export const TARGET = [0];

/** Four samples, of two numbers each. */
export const batchOf = (number: number): DecodedMicroBatch => ({
  number,
  samples: 4,
  inputs: Float32Array.from({ length: 8 }, (_, i) => (i === 0 ? number : i)),
  labels: Int32Array.of(0, 1, 2, 3),
});

export interface FakeModel {
  readonly computing: GradientComputing;
  /** How often the model was computed operation by operation, a trace was made, and a program closed. */
  readonly did: { eager: number; traced: number; closed: number };
  /** Why the model is computed operation by operation. */
  readonly reasons: string[];
  /** What was traced. */
  readonly traced: DecodedMicroBatch[];
  /** The model's own weights. */
  weights(): Float32Array;
  /** @returns the loss and gradient of a micro-batch. */
  gradientOf(number: number): number[];
  /** Computes micro-batches 1, 2, …, all of which must come out right. */
  compute(count: number): void;
}

/** A model whose loss is n and whose gradient is n·w, and a compiler of programs that compute the same. */
export function fakeModel(
  bits: Compiler["bits"],
  differently: { compiler?: Partial<Compiler>; program?: Partial<Program>; lossOf?: (number: number) => number } = {},
): FakeModel {
  const gradient = new Float32Array(2);
  let weights: Float32Array = WEIGHTS;
  const did = { eager: 0, traced: 0, closed: 0 };
  const reasons: string[] = [];
  const traced: DecodedMicroBatch[] = [];
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
    bits,
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
    loadWeights() {},
    loadStatistics() {},
    currentWeights: () => [weights],
    setWeights([values]) {
      weights = values;
    },
    compute(batch, _target, watch) {
      did.eager++;
      if (watch !== undefined) {
        traced.push(batch);
        watch(() => ({ variables: [], inputs: [], draws: [], outputs: [] }));
      }
      gradient.set(weights.map((w) => batch.number * w));
      return differently.lossOf?.(batch.number) ?? batch.number;
    },
    dispose() {},
  } satisfies Partial<ModelGradient> as unknown as ModelGradient;
  const computing = compiledGradient({
    compiler,
    model,
    weightsAt: () => TARGET,
    copies: { views: () => [gradient] },
    refused: (reason) => void reasons.push(reason),
  });
  const gradientOf = (number: number): number[] => {
    gradient.fill(Number.NaN);
    const { loss } = computing.compute(batchOf(number), TARGET);
    return [loss, ...gradient];
  };
  return {
    computing,
    did,
    reasons,
    traced,
    gradientOf,
    weights: () => weights,
    compute(count) {
      for (let number = 1; number <= count; number++) {
        assert.deepEqual(gradientOf(number), [number, number * 0.5, number * -3]);
      }
    },
  };
}

/** A function of a program or a compiler that refuses. */
export const uncompilable = (message: string) => (): never => {
  throw new UncompilableError(message);
};

/** A program's `run`, with an error in what it writes. */
export const writing =
  (lossError: number, gradientError: number): Program["run"] =>
  ([[number]], [[loss], [g]]) => {
    loss[0] = number + lossError;
    g.set([number * 0.5, number * -3 + gradientError]);
    return true;
  };
