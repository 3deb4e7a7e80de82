/** A task whose model has about the requested number of parameters, on a few rows of numbers. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ScalingCase } from "./cluster.js";

const INPUTS = 99;
const CLASSES = 10;
const ROWS = 500;
const FOREVER = 1_000_000_000;

const dense = (inputs: number, units: number): number => (inputs + 1) * units;

/** A single layer has 1,000 parameters; two hidden layers of equal width have more. */
export function widthFor(parameters: number): number {
  // width² + (INPUTS + 2 + CLASSES)·width + CLASSES = parameters, of two biases and a last layer's.
  const linear = INPUTS + 2 + CLASSES;
  return Math.round((Math.sqrt(linear ** 2 + 4 * (parameters - CLASSES)) - linear) / 2);
}

export function scalingTask(
  { parameters, workers, microBatches = workers }: Pick<ScalingCase, "parameters" | "workers" | "microBatches">,
  folder: string,
): { task: object; parameters: number } {
  const small = parameters <= dense(INPUTS, CLASSES);
  const width = widthFor(parameters);
  const hidden = small ? [] : [width, width];
  const units = [...hidden, CLASSES];
  const layers = units.map((each, i) => ({ layer: "Dense", units: each, ...(i === 0 && { inputShape: [INPUTS] }) }));
  const file = join(folder, "samples.csv");
  writeFileSync(file, samples());
  return {
    parameters: units.reduce((sum, each, i) => sum + dense(i === 0 ? INPUTS : units[i - 1], each), 0),
    task: {
      ...{ name: "scaling", model: { kind: "sequential", layers }, loss: "softmaxCrossEntropy" },
      dataset: { kind: "csv", file, label: "class", target: "classes" },
      ...{ microBatchSize: 1, microBatchesPerStep: microBatches, learningRate: 0.001 },
      optimizer: { name: "invariant", rule: "exponential" },
      ...{ samples: FOREVER, evaluateEverySamples: FOREVER, checkpointEverySamples: FOREVER },
    },
  };
}

function samples(): string {
  const head = [...Array.from({ length: INPUTS }, (_, i) => `x${i}`), "class"];
  const row = (n: number): (string | number)[] => [
    ...Array.from({ length: INPUTS }, (_, i) => (n * 31 + i * 17) % 100),
    `c${n % CLASSES}`,
  ];
  return [head, ...Array.from({ length: ROWS }, (_, n) => row(n))].map((cells) => `${cells.join(",")}\n`).join("");
}
