/** The two ways in which a micro-batch's gradient is computed: operation by operation, or by a compiled program. */
import type { Addresses } from "../memory.js";
import type { DecodedMicroBatch, ModelGradient } from "./model-gradient.js";
import type { ComputedGradient, ModelProgram, ModelSums } from "./model-program.js";

/** Computes micro-batches' gradients, in one of these ways. */
export interface GradientComputing extends Pick<ModelGradient, "evaluate" | "dispose"> {
  load(): void;
  /** Computes as `ModelGradient` does. */
  compute(batch: DecodedMicroBatch, target: Addresses): ComputedGradient;
  /** The sums of the program that computes such micro-batches, once there is one that keeps sums. */
  sums?(batch: DecodedMicroBatch): ModelSums | undefined;
}

export function computeByOperations(model: ModelGradient): GradientComputing {
  return {
    load() {
      model.loadWeights();
      model.loadStatistics();
    },
    compute: (batch, target) => ({ loss: model.compute(batch, target) }),
    evaluate: (batch) => model.evaluate(batch),
    dispose: () => model.dispose(),
  };
}

/**
 * Computes with a program. Evaluation, and micro-batches of a size other than the program's (no run has any), are
 * computed operation by operation; the model gets the weights only for them.
 * @param program has the model's weights; `dispose` closes it
 */
export function computeByProgram(program: ModelProgram, model: ModelGradient): GradientComputing {
  /** Whether the model's own weights are older than the program's. */
  let stale = false;
  const freshen = (): void => {
    if (stale) model.setWeights(program.weights());
    stale = false;
  };
  return {
    load() {
      program.load();
      stale = true;
      model.loadStatistics();
    },
    compute(batch, target) {
      if (batch.samples === program.samples) return program.compute(batch, target);
      freshen();
      return { loss: model.compute(batch, target) };
    },
    sums: (batch) => (batch.samples === program.samples ? program.sums : undefined),
    evaluate(batch) {
      freshen();
      return model.evaluate(batch);
    },
    dispose() {
      program.close();
      model.dispose();
    },
  };
}
