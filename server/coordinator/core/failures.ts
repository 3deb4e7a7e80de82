import { type CoordinatorRun, end } from "./run.js";
import type { WorkerRecord } from "./workers.js";

/**
 * The errors that workers have met since the run last made progress, and the decision whether one of them is the run's.
 *
 * One machine may lack memory, and one connection may break: that must not end a run that other workers continue. But
 * an error that occurs repeatedly, or on several machines, while nothing is computed and no worker is left that has not
 * met it, would occur on the next worker too. Then the run ends with it instead of waiting forever. Any progress (a
 * leaf that every shard covers, a batch that is evaluated) clears the list.
 */
export interface SharedFailure {
  /** The message of the worker that met it last. */
  reason: string;
  times: number;
  /** The names of the workers that met it, including those that have left. */
  readonly workers: Set<string>;
  readonly machines: Set<string>;
}

/** The run ends with an error that occurs this often without progress in between … */
const TIMES_MAX = 5;
/** … or on this many different machines. */
const MACHINES_MAX = 3;
const REASON_LENGTH_MAX = 300;
/** The most kinds of errors that are remembered; beyond it the oldest are forgotten. */
const KINDS_MAX = 100;

/**
 * A key that is equal for two errors that differ only in what is specific to a worker: numbers, addresses, paths, its
 * name.
 */
export function reasonKey(reason: string, machine: string): string {
  return reason
    .split(/([\w.-]+)/)
    .map((word) => (word === machine ? "…" : word))
    .join("")
    .replace(/(?:[\w.:@~-]*[/\\])+/g, "")
    .replace(/0x[\da-f]+|[-−]?\d+(?:\.\d+)*/gi, "#")
    .toLowerCase()
    .slice(0, REASON_LENGTH_MAX);
}

/** A worker has met an error. @returns whether the run has ended with it. */
export function countShared(run: CoordinatorRun, { worker, machine }: WorkerRecord, reason: string): boolean {
  const key = reasonKey(reason, machine);
  const failure = run.state.failures.get(key) ?? { reason, times: 0, workers: new Set(), machines: new Set() };
  failure.reason = reason;
  failure.times++;
  failure.workers.add(worker);
  failure.machines.add(machine);
  // Inserted again, so that the newest is last.
  run.state.failures.delete(key);
  run.state.failures.set(key, failure);
  if (run.state.failures.size > KINDS_MAX) run.state.failures.delete(run.state.failures.keys().next().value!);
  return endIfEverybodyFails(run);
}

/**
 * Ends the run if all workers have met the same error. Also called when a worker leaves: those that stay may all have
 * failed.
 * @returns whether the run has ended.
 */
export function endIfEverybodyFails(run: CoordinatorRun): boolean {
  for (const { reason, times, workers, machines } of run.state.failures.values()) {
    if (times < TIMES_MAX && machines.size < MACHINES_MAX) continue;
    if ([...run.state.workers.keys()].some((worker) => !workers.has(worker))) continue;
    end(run, { ok: false, code: "failed", reason, times, workers: [...workers] });
    return true;
  }
  return false;
}

/** Something was computed, so earlier errors were not the run's. */
export function forgetFailures(run: CoordinatorRun): void {
  run.state.failures.clear();
}

/** For status: the last error of a worker, if nothing has been computed since; else undefined. */
export function newestFailure(failures: ReadonlyMap<string, SharedFailure>): SharedFailure | undefined {
  return [...failures.values()].at(-1);
}
