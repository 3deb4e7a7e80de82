/**
 * Computes a micro-batch's gradient operation by operation: tfjs passes through the model's layers forward and
 * backward. All of it happens inside one `tidy`, from which nothing is returned: tidy walks through everything it
 * returns, element by element.
 */

import type { Computation } from "../../backends/index.js";
import type { LayoutTensor } from "../../shared/layout/index.js";
import {
  applyModel,
  correctCount,
  createIndexCheck,
  type DecodedBatch,
  type IndexCheck,
  inputUsesOf,
  loadModel,
  lossOf,
  regularisationOf,
  type SampleSpec,
  sampleLossesOf,
  type Task,
} from "../../tasks/index.js";
import { core as tf } from "../../tasks/tfjs/core.js";
import type { Addresses, MemoryPlan } from "../memory.js";
import type { Copies } from "./copies.js";
import { checkUntraced } from "./index-errors.js";
import { keyDropout, prepareBatchNorm } from "./layers.js";
import { bindTensors, createModelValues, type LoadableValues } from "./model-values.js";

export interface ModelGradientOptions {
  readonly task: Pick<Task, "seed" | "loss" | "labelSmoothing">;
  readonly topology: string;
  readonly form: SampleSpec;
  readonly plan: MemoryPlan;
  readonly copies: Copies;
  /** The vector that holds a tensor's values when weights are loaded. */
  readonly weightsAt: (tensor: LayoutTensor) => Addresses;
}

export interface DecodedMicroBatch extends DecodedBatch {
  readonly number: number;
  readonly samples: number;
}

/** Called with a computation while its tensors exist. */
export type Watch = (compute: () => Computation) => void;

export interface ModelGradient extends LoadableValues {
  /** A computation's variables: the parameters and what is frozen. */
  readonly weights: readonly LayoutTensor[];
  /** Its outputs after the loss: the parameters' gradients, then the batch's statistics of BatchNorm. */
  readonly results: readonly LayoutTensor[];
  /** Whether the layers that look numbers up have a row for each; to be checked before anything is computed. */
  readonly checkIndices: IndexCheck;
  /** Writes the gradient, with the batch's statistics after it, to the vector at `target`. @returns the mean loss */
  compute(batch: DecodedMicroBatch, target: Addresses, watch?: Watch): number;
  /** The keys of a micro-batch's dropout masks, layer by layer and call by call. */
  draws(number: number): Computation["draws"];
  evaluate(batch: DecodedMicroBatch): { lossSum: number; correct: number };
  dispose(): void;
}

export async function openModelGradient(options: ModelGradientOptions): Promise<ModelGradient> {
  const { task, form, plan, copies, weightsAt } = options;
  const { model, tensors } = await loadModel(options.topology, plan.layout);
  const bound = bindTensors(plan.layout, tensors);
  const { parameters, tail, weights } = bound;
  const results = [...parameters, ...tail];
  const trained = parameters.map(({ variable }) => variable);
  const loss = lossOf(task.loss, task.labelSmoothing);
  const sampleLosses = sampleLossesOf(task.loss);
  const regularisation = regularisationOf(model);
  const dropout = keyDropout(model, task.seed);
  prepareBatchNorm(model, new Set(tail.map(({ name }) => tensors.get(name)!)));
  const { indices, untraced } = inputUsesOf(model, form.input.shape);
  checkUntraced(untraced);
  const values = createModelValues(bound, copies, weightsAt);

  return {
    weights,
    results,
    checkIndices: createIndexCheck(indices),
    loadWeights: values.loadWeights,
    loadStatistics: values.loadStatistics,
    setWeights: values.setWeights,
    currentWeights: values.currentWeights,

    compute(batch, target, watch = (compute) => void compute()) {
      dropout.key(batch.number);
      values.clearStatistics();
      let meanLoss = Number.NaN;
      tf.tidy(() => {
        const { inputs, labels } = tensorsOf(form, batch);
        let computed: tf.Tensor[] = [];
        watch(() => {
          const { value, grads } = tf.variableGrads(() => {
            const { output, mask } = applyModel(model, inputs, { training: true });
            const data = loss(labels, output, mask);
            return regularisation === undefined ? data : tf.add(data, regularisation());
          }, trained);
          // A parameter that the loss does not depend on is absent.
          computed = [value, ...trained.map(({ name }) => grads[name]), ...tail.map(({ variable }) => variable)];
          const variables = weights.map(({ variable }) => variable);
          return { variables, inputs: [inputs, labels], draws: dropout.keys(batch.number), outputs: computed };
        });
        const [value, ...written] = computed;
        meanLoss = value.dataSync()[0];
        for (const [i, tensor] of results.entries()) copies.write(written[i], tensor, target);
      });
      return meanLoss;
    },

    draws: dropout.keys,

    evaluate(batch) {
      values.useStatistics();
      const result = { lossSum: 0, correct: 0 };
      tf.tidy(() => {
        const { inputs, labels } = tensorsOf(form, batch);
        const { output, mask } = applyModel(model, inputs, { training: false });
        for (const sampleLoss of sampleLosses(labels, output, mask).dataSync()) result.lossSum += sampleLoss;
        result.correct = correctCount(task.loss, labels, output, mask).dataSync()[0];
      });
      return result;
    },

    dispose() {
      values.dispose();
      model.dispose();
    },
  };
}

function tensorsOf(form: SampleSpec, batch: DecodedMicroBatch): { inputs: tf.Tensor; labels: tf.Tensor } {
  const { inputs, labels, samples } = batch;
  return {
    inputs: tf.tensor(inputs, [samples, ...form.input.shape]),
    labels: tf.tensor(labels, [samples, ...form.label.shape], labels instanceof Int32Array ? "int32" : "float32"),
  };
}
