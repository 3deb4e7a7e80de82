/** The sentence with which a failed run ends. Pure. */
import { IsobatchError } from "../../shared/errors.js";
import type { SampleReader } from "../samples/index.js";
import type { RunOutcome } from "./core/index.js";

/** The most workers that the sentence names. */
const WORKERS_SHOWN = 5;
/** What WebAssembly, V8 and TensorFlow report when memory is short. */
const MEMORY = /out of (memory|bounds)|\bOOM\b|allocation failed/i;
const LESS_MEMORY =
  "Often a micro-batch needs more memory than there is: try fewer --compute-threads or, in a new run, a smaller microBatchSize. ";

/**
 * The error with which a failed run ends, with the sample numbers of the micro-batch that was not finite, if there is
 * one.
 */
export function outcomeError(
  outcome: Extract<RunOutcome, { ok: false }>,
  samples: SampleReader,
  step: number,
): IsobatchError {
  if (outcome.code === "failed") return everybodyFailed(outcome, step);
  const { microBatch } = outcome;
  if (microBatch === undefined) return new IsobatchError(outcome.code, sentence(outcome.reason));
  const numbers = [...samples.numbersOf(microBatch)];
  const shown = numbers.length > 16 ? `${numbers.slice(0, 16).join(", ")}, …` : numbers.join(", ");
  return new IsobatchError(
    outcome.code,
    `The run has diverged at step ${step}, micro-batch ${microBatch} (samples ${shown}): ${outcome.reason}; lower ` +
      "learningRate, set clipNorm, or look at these samples. Weights and checkpoints are those before that step.",
  );
}

function everybodyFailed(
  { reason, times, workers }: Extract<RunOutcome, { code: "failed" }>,
  step: number,
): IsobatchError {
  const shown = workers.length > WORKERS_SHOWN ? [...workers.slice(0, WORKERS_SHOWN), "others"] : workers;
  return new IsobatchError(
    "failed",
    `Every worker fails at step ${step} with the same error, ${times} times without anything computed in between (on ` +
      `${shown.join(", ")}): ${reason.replace(/[.!?]$/, "")}. ${MEMORY.test(reason) ? LESS_MEMORY : ""}Fix the cause ` +
      "and start the same command again: it resumes at the newest checkpoint.",
  );
}

function sentence(reason: string): string {
  return `${reason[0].toUpperCase()}${reason.slice(1)}${/[.!?]$/.test(reason) ? "" : "."}`;
}
