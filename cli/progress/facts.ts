/** A run's model, data set and length in words. Pure. */
import { count, plural } from "./format.js";

/** The sizes of a run's model and data set. */
export interface RunSizes {
  /** `sequential`, `functional`, or the name of a built-in model. */
  readonly modelKind: string;
  readonly modelLayers: number;
  /** Numbers in the model, those that are not trained included. */
  readonly parameters: number;
  readonly trainedParameters: number;
  readonly trainingSamples: number;
  /** 0: the data set has no test part. */
  readonly testSamples: number;
}

/** "sequential, 4 layers, 669,706 parameters" */
export function modelText({
  modelKind,
  modelLayers,
  parameters,
  trainedParameters,
}: Omit<RunSizes, "trainingSamples" | "testSamples">): string {
  const untrained = parameters - trainedParameters;
  const note = untrained === 0 ? "" : `, ${count(untrained)} of them not trained`;
  return `${modelKind}, ${plural(modelLayers, "layer")}, ${plural(parameters, "parameter")}${note}`;
}

/** "60,000 training and 10,000 test samples" */
export function dataText({ trainingSamples, testSamples }: Pick<RunSizes, "trainingSamples" | "testSamples">): string {
  if (testSamples === 0) return `${plural(trainingSamples, "training sample")}, no test part`;
  return `${count(trainingSamples)} training and ${plural(testSamples, "test sample")}`;
}

/** Passes over the training part: "4", "12.5", "1,667", "0.021". */
export function epochs(samples: number, trainingSamples: number): string {
  const passes = samples / trainingSamples;
  if (passes >= 1_000) return count(passes);
  return `${passes >= 1 ? Number(passes.toFixed(1)) : Number(passes.toPrecision(2))}`;
}

/** The same while it grows, with digits that stay: "1.91 of 4". */
export function epochOf(samples: number, samplesTotal: number, trainingSamples: number): string {
  const total = samplesTotal / trainingSamples;
  const digits = total >= 10 ? 1 : total >= 0.5 ? 2 : total >= 0.05 ? 3 : 4;
  return `${(samples / trainingSamples).toFixed(digits)} of ${epochs(samplesTotal, trainingSamples)}`;
}

/** "4 epochs" */
export function epochsText(samples: number, trainingSamples: number): string {
  const passes = epochs(samples, trainingSamples);
  return `${passes} epoch${passes === "1" ? "" : "s"}`;
}
