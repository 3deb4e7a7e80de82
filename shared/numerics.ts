/** A numerics class: two workers of one class compute the same bits. */
export interface Numerics {
  /** "wasm", "cpu", "tfjs-node" or "tfjs-node-gpu". */
  readonly backend: string;
  /** The version of the backend and, where there is one, of the library under it. */
  readonly version: string;
  /** `process.arch`. */
  readonly architecture: string;
  /** Everything else that changes bits: SIMD, threads, determinism, the arithmetic's revision. */
  readonly flags: string;
}
