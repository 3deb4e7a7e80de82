/**
 * The error for everything that a person can correct. Its message is one sentence that names the field, the
 * value, the limit and what to do; the command line prints it without a stack and exits with `exitCode`. Anything
 * else that is thrown is a bug.
 */
export class IsobatchError extends Error {
  override readonly name = "IsobatchError";

  /** @param code what kind of error it is, for programs */
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The process's exit code: 2 for wrong input, 1 for anything else. */
  get exitCode(): number {
    return this.code === "invalid_input" ? 2 : 1;
  }
}

/**
 * - `invalid_input`: the user's input (flags, task file, data set) can't be used;
 * - `refused`: the other side understood the request and refused it (token, version, numerics class, another run);
 * - `unavailable`: another process or a library could not be reached, or was away for longer than the allowed wait;
 * - `damaged`: a file or message does not match its checksum or its format;
 * - `exhausted`: disk, memory or a limit is used up;
 * - `diverged`: the training itself produced NaN or infinity twice;
 * - `failed`: every worker met the same error, or one can't compute what the others can;
 * - `interrupted`: the user stopped it.
 */
export type ErrorCode =
  | "invalid_input"
  | "refused"
  | "unavailable"
  | "damaged"
  | "exhausted"
  | "diverged"
  | "failed"
  | "interrupted";

/** Whether a run that ended with this error would end with it again each time it is started, until a user acts. */
export function isFinal(error: unknown): boolean {
  return error instanceof IsobatchError && ["diverged", "damaged", "failed"].includes(error.code);
}

/** Throws an `invalid_input` error; for expressions: `value ?? invalid("…")`. */
export function invalid(message: string, options?: ErrorOptions): never {
  throw new IsobatchError("invalid_input", message, options);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
