/** What a backend says of itself; the rest of `Backend` is the same for all. */
export interface BackendDescription {
  version: string;
  flags: string;
  device: string;
  /** Threads inside an operation, of each compute thread. */
  intraOpThreads: number;
  /** What makes its bits repeat, and where they do; in words. */
  determinism: string;
  /** The precisions that products can be computed in, and how; in words. */
  precisions: string;
}

/** The precisions of a backend that multiplies in float32 only. */
export const BY_ROUNDING = "float32; tf32 and bfloat16 by rounding factors, which saves no time";
