/** Errors for a batch or model that needs more memory than there is. It always will, so the worker ends with them. */

import { isOutOfMemory, withoutStatus } from "../../backends/index.js";
import { messageOf } from "../../shared/errors.js";
import { TooLargeError } from "../errors.js";
import { type Fit, findFit } from "./fitting.js";
import { hostMemory } from "./host-memory.js";

type Rows = Float32Array | Int32Array | Uint8Array;

/** Rows of numbers, one per sample. */
interface Batch {
  readonly samples: number;
  readonly inputs: Rows;
  readonly labels: Rows;
}

/** The field of a task that sets how many samples a batch has. */
export type BatchField = "microBatchSize" | "evaluationBatchSize";

/** How long the search may take: a thread that computes for much longer is taken for one that hangs. */
const SEARCH_MS = 60_000;

/**
 * Computes a batch. If memory runs out, parts of it are computed to find how many samples fit; their results are not
 * used.
 * @param device the name of what computes, with its article
 * @param fitting computes a part; by default as the whole batch is computed
 * @throws {TooLargeError} with the number of samples that fit
 */
export function withinMemory<B extends Batch, T>(
  field: BatchField,
  device: string,
  batch: B,
  compute: (batch: B) => T,
  fitting: (part: B) => unknown = compute,
): T {
  const explain = (error: unknown): never => {
    // A call inside this one may have explained it already.
    if (error instanceof TooLargeError || !isOutOfMemory(error)) throw error;
    const attempt = (samples: number): void => void fitting(firstOf(batch, samples));
    const options = { attempt, isOutOfMemory, memory: hostMemory, now: () => performance.now(), budgetMs: SEARCH_MS };
    throw tooMany(field, device, batch, error, adviceOf(field, batch, findFit(batch.samples, options)));
  };
  return explained(() => compute(batch), explain);
}

/** Returns the result of `make`, now or later; what it throws or rejects with is passed to `explain`. */
function explained<T>(make: () => T, explain: (error: unknown) => never): T {
  try {
    const made = make();
    return made instanceof Promise ? (made.catch(explain) as T) : made;
  } catch (error) {
    return explain(error);
  }
}

/** Prepares a batch; if memory runs out, says so without searching for what fits. */
export function withoutSearch<B extends Batch, T>(field: BatchField, batch: B, prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    throw tooMany(field, "this machine", batch, error, `set ${field} to fewer.`);
  }
}

function tooMany(field: BatchField, device: string, { samples }: Batch, cause: unknown, advice: string): TooLargeError {
  return new TooLargeError(
    `${field} is ${samples}, but ${device} has not enough memory for this many samples at once (${reasonOf(cause)}); ${advice}`,
    { cause },
  );
}

function adviceOf(field: BatchField, { samples }: Batch, fit: Fit): string {
  const elsewhere = "use a device with more memory";
  if (fit.samples === 0) {
    return fit.isMost ? `not even one fits: take a smaller model, or ${elsewhere}.` : `set ${field} to fewer.`;
  }
  const times = Math.ceil(samples / fit.samples);
  const instead = field === "microBatchSize" ? ` and microBatchesPerStep to ${times} times as many` : "";
  return `${fit.isMost ? "" : "at least "}${fit.samples} fit: set ${field} to ${fit.samples}${instead}, or ${elsewhere}.`;
}

/** Makes or loads a model's weights; if memory runs out, says how many they are. */
export function fittingWeights<T>(weights: number, device: string, make: () => T): T {
  const explain = (error: unknown): never => {
    if (!isOutOfMemory(error)) throw error;
    throw new TooLargeError(
      `The model has ${weights} weights, for which ${device} has not enough memory (${reasonOf(error)}); use a smaller model, fewer ` +
        "--compute-threads, or a device with more memory.",
      { cause: error },
    );
  };
  return explained(make, explain);
}

const REASON_LENGTH_MAX = 200;

function reasonOf(error: unknown): string {
  const [line] = withoutStatus(messageOf(error)).split("\n");
  return line.replace(/\.$/, "").slice(0, REASON_LENGTH_MAX);
}

function firstOf<B extends Batch>(batch: B, samples: number): B {
  const rows = (all: Rows): Rows => all.subarray(0, (all.length / batch.samples) * samples);
  return { ...batch, samples, inputs: rows(batch.inputs), labels: rows(batch.labels) };
}
