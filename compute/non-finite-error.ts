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
