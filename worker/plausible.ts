/**
 * What a server asks of a worker is checked before anything is made of it: memory, loops and waits follow from these
 * numbers, and whoever answers at an address need not be the server that the worker was sent to.
 */
import { IsobatchError } from "../shared/errors.js";
import { largestKappa } from "../shared/steps/index.js";
import type { EvaluationLease__Output, MicroBatchLease__Output } from "../shared/wire/index.js";
import { microBatchesOf, type Task } from "../tasks/index.js";

/** Batches of the test part: more samples than a data set may have are not evaluated one by one. */
export const EVALUATION_BATCHES_MAX = 2 ** 24;

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function refuse(what: string): never {
  throw new IsobatchError("damaged", `The server asks for what this run has not: ${what}; the worker ends.`);
}

/** @throws {IsobatchError} `damaged` if no step of the task's run has such a lease. */
export function checkLease(
  lease: MicroBatchLease__Output,
  task: Pick<Task, "microBatchesPerStep" | "samples" | "microBatchSize">,
): void {
  const { epoch, step, firstMicroBatch, microBatches, lo, hi, leafWeights1, leafWeights2 } = lease;
  if (![lease.lease, epoch, step, firstMicroBatch].every(isCount)) refuse("a lease without whole numbers");
  const kappaMax = largestKappa(task.microBatchesPerStep);
  if (!(microBatches >= 1 && microBatches <= kappaMax)) {
    refuse(`a step of ${microBatches} micro-batches, where at most ${kappaMax} are allowed`);
  }
  if (!(lo < hi && hi <= microBatches)) refuse(`the micro-batches ${lo} to ${hi - 1} of ${microBatches}`);
  const total = microBatchesOf(task);
  if (firstMicroBatch + microBatches > total) {
    refuse(`micro-batch ${firstMicroBatch + microBatches - 1} of a run of ${total}`);
  }
  for (const weights of [leafWeights1, leafWeights2]) {
    if (weights.length !== 0 && weights.length !== hi - lo)
      refuse(`${weights.length} weights for ${hi - lo} micro-batches`);
    if (!weights.every(Number.isFinite)) refuse("micro-batches that weigh what is no number");
  }
}

/**
 * @param batches of the test part.
 * @throws {IsobatchError} `damaged` if the test part has no such batches.
 */
export function checkEvaluation(lease: EvaluationLease__Output, batches: number): void {
  const { epoch, version, firstBatch, endBatch } = lease;
  if (![epoch, version].every(isCount)) refuse("an evaluation without whole numbers");
  if (!(firstBatch < endBatch && endBatch <= batches)) {
    refuse(`the evaluation batches ${firstBatch} to ${endBatch - 1} of ${batches}`);
  }
}
