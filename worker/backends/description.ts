/** What a backend says of itself; the rest of `Backend` is the same for all. */
export interface BackendDescription {
  version: string;
  flags: string;
  device: string;
  /** Threads inside an operation, of each compute thread. */
  intraOpThreads: number;
  /** What makes its bits repeat, and where they do; in words. */
  determinism: string;
}
