/**
 * Decides whether a compute thread hangs. It computes natively and reports nothing until it is done, so a library that
 * waits forever looks like one that works; what distinguishes them is how long the same work took before.
 *
 * Only time during which the main thread runs is counted: a process that was stopped, or a machine that slept, is not
 * mistaken for a thread that hangs.
 */
import type { BackendName } from "../backends/machine/index.js";

/** How long something may take until a warning is logged, and until it is given up. */
export interface Limits {
  readonly warnMs: number;
  readonly endMs: number;
}

/**
 * @param kind the kind of the thread's work; "start" is its start
 * @param answeredMs how long the last answers of that kind took, from the oldest to the newest
 */
export type Patience = (kind: string, answeredMs: readonly number[]) => Limits;

/**
 * How long a first answer may take, in minutes: it compiles, and may work on a micro-batch of any size. On a GPU a
 * minute is long. wasm and cpu compute in our own loops, which end however slow the machine is.
 */
const FIRST_END_MINUTES: Record<BackendName, number> = {
  "tfjs-node-gpu": 15,
  "tfjs-node": 60,
  wasm: Number.POSITIVE_INFINITY,
  cpu: Number.POSITIVE_INFINITY,
};
const FIRST_WARN_MS = 180_000;
/** The first answers, for which the model is traced and compiled, say little about later ones. */
const FIRST_ANSWERS = 4;
const LATER_WARN_MS_MIN = 60_000;
const LATER_WARN_MEDIANS = 20;
const LATER_WARN_LONGEST = 3;
const LATER_END_WARNINGS = 3;

/** @param fixedMs the time after which any work but the start is given up, regardless of how long it took before */
export function patienceFor(backend: BackendName, fixedMs?: number): Patience {
  return (kind, answeredMs) => {
    if (fixedMs !== undefined && kind !== "start") return { warnMs: fixedMs / 2, endMs: fixedMs };
    if (answeredMs.length < FIRST_ANSWERS) return { warnMs: FIRST_WARN_MS, endMs: FIRST_END_MINUTES[backend] * 60_000 };
    const warnMs = Math.max(
      LATER_WARN_MS_MIN,
      LATER_WARN_MEDIANS * median(answeredMs),
      LATER_WARN_LONGEST * Math.max(...answeredMs),
    );
    return { warnMs, endMs: LATER_END_WARNINGS * warnMs };
  };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

export type Verdict =
  | { readonly kind: "warn"; readonly limits: Limits; readonly usualMs: number | undefined }
  | { readonly kind: "end"; readonly limits: Limits };

export interface Watchdog {
  /** The thread starts work of this kind. */
  started(kind: string): void;
  /** The work is done. @param tookMs the time since it started */
  answered(tookMs: number): void;
  /** Time has passed. @returns what is to be logged or done, once each */
  passed(ms: number): Verdict | undefined;
}

const REMEMBERED = 32;

export function createWatchdog(patience: Patience): Watchdog {
  const answers = new Map<string, number[]>();
  let current: { readonly kind: string; silentMs: number; warned: boolean } | undefined;
  const before = (kind: string): number[] => answers.get(kind) ?? [];
  return {
    started(kind) {
      current = { kind, silentMs: 0, warned: false };
    },
    answered(tookMs) {
      if (current === undefined) return;
      answers.set(current.kind, [...before(current.kind).slice(1 - REMEMBERED), tookMs]);
      current = undefined;
    },
    passed(ms) {
      if (current === undefined) return undefined;
      current.silentMs += ms;
      const known = before(current.kind);
      const limits = patience(current.kind, known);
      // First the warning, even if a busy machine checks only when it is time to give up.
      if (!current.warned && current.silentMs >= limits.warnMs) {
        current.warned = true;
        return { kind: "warn", limits, usualMs: known.length === 0 ? undefined : median(known) };
      }
      if (current.silentMs < limits.endMs) return undefined;
      current = undefined;
      return { kind: "end", limits };
    },
  };
}
