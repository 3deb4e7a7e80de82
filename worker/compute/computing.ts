/** The two ways in which a micro-batch's gradient is computed: operation by operation, or by a compiled program. */
import type { Addresses } from "./memory.js";
import type { DecodedMicroBatch, ModelGradient } from "./model-gradient.js";
import type { ComputedGradient, ModelProgram, ModelSums } from "./model-program.js";

/** What computes a micro-batch's gradient, whichever way. */
export interface Computing extends Pick<ModelGradient, "evaluate" | "dispose"> {
  load(): void;
  /** As `ModelGradient` does. */
  compute(batch: DecodedMicroBatch, target: Addresses): ComputedGradient;
  /** What sums gradients of such micro-batches where they are computed, once there is something that does. */
  sums?(batch: DecodedMicroBatch): ModelSums | undefined;
}

export function computeByOperations(model: ModelGradient): Computing {
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
 * Evaluation, and micro-batches of another number of samples than the program's, which no run has, go operation by operation;
 * the model gets the weights only then.
 * @param program has the model's weights; it is closed with the model.
 */
export function computeByProgram(program: ModelProgram, model: ModelGradient): Computing {
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
