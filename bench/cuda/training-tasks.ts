/** The tasks that are trained to check a device: real digits, in sizes that keep it busy for seconds. */
import type { ModelSpec, TaskInput } from "../../tasks/index.js";
import type { CheckSize } from "./report.js";

export type CheckedModel = "mlp" | "resnet18";

interface Extent {
  readonly width: number;
  readonly batch: number;
  readonly steps: number;
}

const extents: Record<CheckSize, Record<CheckedModel, Extent>> = {
  gpu: { mlp: { width: 1024, batch: 256, steps: 100 }, resnet18: { width: 32, batch: 64, steps: 30 } },
  cpu: { mlp: { width: 256, batch: 64, steps: 100 }, resnet18: { width: 8, batch: 32, steps: 24 } },
  quick: { mlp: { width: 32, batch: 32, steps: 40 }, resnet18: { width: 4, batch: 16, steps: 12 } },
};

const perceptron = (width: number): object => ({
  kind: "sequential",
  layers: [
    { layer: "Flatten", inputShape: [28, 28, 1] },
    { layer: "Dense", units: width, activation: "relu" },
    { layer: "Dense", units: width, activation: "relu" },
    { layer: "Dense", units: 10 },
  ],
});

/** The fraction of the first loss that the mean loss of the last quarter must fall below. */
export const FALLS_TO: Record<CheckedModel, number> = { mlp: 0.8, resnet18: 1 };

export function checkTask(size: CheckSize, model: CheckedModel): TaskInput {
  const { width, batch, steps } = extents[size][model];
  const spec = model === "mlp" ? perceptron(width) : { kind: "resnet18", width };
  return {
    name: `check-${model}`,
    model: spec as ModelSpec,
    dataset: { kind: "mnist", limit: 10_000, testLimit: 100 },
    loss: "softmaxCrossEntropy",
    optimizer: { name: "invariant", rule: "linear" },
    ...{ beta1: 0.9, beta2: 0.99, learningRate: model === "mlp" ? 0.001 : 0.002 },
    ...{ microBatchSize: batch, samples: steps * batch },
  };
}
