import { IsobatchError } from "./errors.js";

/**
 * Places where a process can be made to die, so that tests can break each promise about crashes on purpose. With
 * `ISOBATCH_FAIL_AT=point:n` in its environment a process kills itself with SIGKILL when it passes that point for
 * the n-th time (from 1): nothing is flushed and no handler runs, exactly as when the machine fails. The command
 * line reads the variable and calls `setFailPoint` before it does anything else. All points are on the main thread.
 *
 * | point | passed |
 * |---|---|
 * | `checkpoint.write` | when a checkpoint's data is in its temporary file, but not its header |
 * | `checkpoint.fsync` | when all is written, before the fsync |
 * | `checkpoint.rename` | when all is on disk, before it gets its name |
 * | `checkpoint.done` | when the checkpoint will survive, before it is announced |
 * | `coordinator.lease` | before a lease is sent |
 * | `coordinator.commit` | when all shards have committed a step, before anything depends on it |
 * | `coordinator.record` | when a committed step is about to be recorded; the next one's leases have been sent |
 * | `shard.near` | when a worker has proved that it is on this machine, before it is welcomed |
 * | `shard.push` | when a pushed chunk has been received, or a node in shared memory announced, before it is judged |
 * | `shard.apply` | before a chunk is updated |
 * | `near.hello` | before a worker sends its hello to a shard on its machine |
 * | `near.welcome` | when it has been welcomed |
 * | `near.put` | when S1 of a chunk is in a slot that is copied, but not S2 |
 * | `near.push` | when sums in shared memory have been announced, before the answer |
 */
export type FailPoint =
  | "checkpoint.write"
  | "checkpoint.fsync"
  | "checkpoint.rename"
  | "checkpoint.done"
  | "coordinator.lease"
  | "coordinator.commit"
  | "coordinator.record"
  | "shard.near"
  | "shard.push"
  | "shard.apply"
  | "near.hello"
  | "near.welcome"
  | "near.put"
  | "near.push";

export interface FailSetting {
  readonly point: string;
  /** The passage that kills, from 1. */
  readonly passage: number;
}

/** Reads `point:n`; undefined or empty means none. */
export function parseFailSetting(value: string | undefined): FailSetting | undefined {
  if (value === undefined || value === "") return undefined;
  const match = /^([a-z]+(?:[.-][a-z]+)*):([1-9]\d{0,8})$/.exec(value);
  if (match === null) {
    throw new IsobatchError(
      "invalid_input",
      `ISOBATCH_FAIL_AT is "${value}"; write point:n, e.g. checkpoint.rename:2.`,
    );
  }
  return { point: match[1], passage: Number(match[2]) };
}

let setting: FailSetting | undefined;
let passages = 0;

/** Sets the point at which this process dies; undefined: none. */
export function setFailPoint(point: FailSetting | undefined): void {
  setting = point;
  passages = 0;
}

/** Marks a place to die at; costs one comparison if no test uses it. */
export function failAt(point: FailPoint): void {
  if (setting === undefined || setting.point !== point) return;
  passages += 1;
  if (passages === setting.passage) process.kill(process.pid, "SIGKILL");
}
