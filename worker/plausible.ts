/**
 * Checks what a server asks of a worker before it is used: memory, loops and waits depend on these numbers, and the
 * process that answers at an address need not be the worker's server.
 */
import { IsobatchError } from "../shared/errors.js";
import { largestKappa } from "../shared/steps/index.js";
import type { EvaluationBatches, MicroBatchLease } from "../shared/wire/index.js";
import { microBatchesOf, type Task } from "../tasks/index.js";

/** The most batches of the test part, far more than any data set has. */
export const EVALUATION_BATCHES_MAX = 2 ** 24;

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function refuse(what: string): never {
  throw new IsobatchError(
    "damaged",
    `The server asks for something that this run does not have: ${what}; the worker ends.`,
  );
}

/** @throws {IsobatchError} `damaged` if no step of the task's run has such a lease */
export function checkLease(
  lease: MicroBatchLease,
  task: Pick<Task, "microBatchesPerStep" | "samples" | "microBatchSize">,
): void {
  const { term, step, firstMicroBatch, microBatches, lo, hi, leafCoefficients1, leafCoefficients2 } = lease;
  if (![lease.lease, term, step, firstMicroBatch].every(isCount)) refuse("a lease with numbers that are not whole");
  const kappaMax = largestKappa(task.microBatchesPerStep);
  if (!(microBatches >= 1 && microBatches <= kappaMax)) {
    refuse(`a step of ${microBatches} micro-batches, where at most ${kappaMax} are allowed`);
  }
  if (!(lo < hi && hi <= microBatches)) refuse(`the micro-batches ${lo} to ${hi - 1} of ${microBatches}`);
  const total = microBatchesOf(task);
  if (firstMicroBatch + microBatches > total) {
    refuse(`micro-batch ${firstMicroBatch + microBatches - 1} of a run of ${total}`);
  }
  for (const weights of [leafCoefficients1, leafCoefficients2]) {
    if (weights.length !== 0 && weights.length !== hi - lo)
      refuse(`${weights.length} weights for ${hi - lo} micro-batches`);
    if (!weights.every(Number.isFinite)) refuse("micro-batch weights that are not numbers");
  }
}

/**
 * @param batches the number of batches of the test part
 * @throws {IsobatchError} `damaged` if the test part has no such batches
 */
export function checkEvaluation(lease: EvaluationBatches, batches: number): void {
  const { term, version, firstBatch, endBatch } = lease;
  if (![term, version].every(isCount)) refuse("an evaluation with numbers that are not whole");
  if (!(firstBatch < endBatch && endBatch <= batches)) {
    refuse(`the evaluation batches ${firstBatch} to ${endBatch - 1} of ${batches}`);
  }
}
