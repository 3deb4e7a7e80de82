/** The ways in which computing can fail that a worker handles differently from others. */
import { IsobatchError } from "../shared/errors.js";

/** The training itself produced NaN or infinity; no byte of the lease may leave the worker. */
export class NonFiniteError extends Error {
  override readonly name = "NonFiniteError";

  constructor(
    /** The number n of the first micro-batch concerned. */
    readonly microBatch: number,
    message: string,
  ) {
    super(message);
  }
}

/** A computation needs more memory than there is. */
export class TooLargeError extends IsobatchError {
  constructor(message: string, options?: ErrorOptions) {
    super("exhausted", message, options);
  }
}

/** A compute thread has ended by itself: everything that it held is lost, and its pool computes nothing any more. */
export class ThreadDeathError extends Error {
  override readonly name = "ThreadDeathError";
}

/** A compute thread has not answered for so long that it never will. */
export class HungThreadError extends ThreadDeathError {}
