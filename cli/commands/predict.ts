import { type Prediction, predict as predictSamples } from "../../index.js";
import { readRunDirectory } from "../../server/index.js";
import type { Task } from "../../tasks/index.js";
import { readSamples } from "../predict/read-samples.js";
import { measure, percent } from "../progress/format.js";

/** As commander reads them from the command line. */
export interface PredictFlags {
  readonly data: string;
  readonly json?: boolean;
}

/** Applies a run's model to the samples in a file, and prints one line per sample. */
export async function predict(folder: string, { data, json = false }: PredictFlags): Promise<void> {
  const { dataset } = JSON.parse(readRunDirectory(folder).taskJson) as Pick<Task, "dataset">;
  const predictions = await predictSamples(folder, await readSamples(data, dataset));
  for (const each of predictions) process.stdout.write(`${json ? jsonOf(each) : lineOf(each)}\n`);
}

/** The class and its probability, or the numbers that are predicted. */
export function lineOf({ label, class: number, probabilities, outputs }: Prediction): string {
  if (number === undefined || probabilities === undefined)
    return [...(probabilities ?? outputs)].map(measure).join("  ");
  return `${label ?? number}  ${percent(probabilityOf(number, probabilities))}`;
}

function probabilityOf(number: number, probabilities: Float32Array): number {
  // A single output is the probability of class 1.
  if (probabilities.length === 1) return number === 1 ? probabilities[0] : 1 - probabilities[0];
  // With several positions, those of each sum to 1, and the class is that of the last one.
  const positions = Math.round(probabilities.reduce((sum, each) => sum + each, 0));
  return probabilities.subarray(-probabilities.length / positions)[number];
}

function jsonOf({ label, class: number, probabilities, outputs }: Prediction): string {
  return JSON.stringify({
    class: number,
    label,
    probabilities: probabilities && [...probabilities],
    outputs: [...outputs],
  });
}
