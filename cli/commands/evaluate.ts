import { evaluate as evaluateRun } from "../../index.js";
import type { Environment } from "../environment.js";
import { count, measure, percent } from "../progress/format.js";

/** As commander reads them from the command line. */
export interface EvaluateFlags {
  readonly backend?: string;
  readonly json?: boolean;
}

/** Evaluates a run's newest sound checkpoint on its task's test samples, and prints what came of it. */
export async function evaluate(
  folder: string,
  { backend: requested, json }: EvaluateFlags,
  environment: Environment,
): Promise<void> {
  const evaluation = await evaluateRun(folder, { backend: requested, settings: environment.variables });
  const { task, step, samples, testSamples, loss, accuracy, backend, notes } = evaluation;
  for (const sentence of notes) process.stderr.write(`${sentence}\n`);
  if (json) {
    process.stdout.write(`${JSON.stringify({ task, step, samples, loss, accuracy, backend })}\n`);
    return;
  }
  const tested = `${task} at step ${count(step)}, on ${count(testSamples)} test samples`;
  const right = accuracy === null ? "" : `, accuracy ${percent(accuracy)}`;
  process.stdout.write(`${tested}: loss ${measure(loss)}${right} (computed on ${backend})\n`);
}
