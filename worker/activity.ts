/**
 * What a worker is doing, for its terminal: derived from the events and effects of its core, and read from time to
 * time. It decides nothing.
 */
import type { WorkerEffect, WorkerEvent } from "./core/index.js";

export interface WorkerActivity {
  readonly state:
    | "waiting for the server"
    | "loading the model"
    | "computing"
    | "evaluating"
    | "waiting for work"
    | "leaving"
    | "ended";
  /** The step of the newest lease; undefined before the first. */
  readonly step: number | undefined;
  /** Micro-batches that this worker has computed, in all its attachments. */
  readonly microBatches: number;
  /** Micro-batches per second, over the last seconds. */
  readonly microBatchesPerSecond: number;
}

export interface ActivityMeter {
  /** An event is about to be handled. */
  event(event: WorkerEvent, nowMs: number): void;
  /** An effect is about to be performed. */
  effect(effect: WorkerEffect): void;
  read(nowMs: number): WorkerActivity;
}

/** Speed is measured over this long. */
const WINDOW_MS = 5_000;
/** Between two leases of a run that is well there is a pause shorter than this, which is not worth showing. */
const PAUSE_MS = 1_000;

export function createActivityMeter(): ActivityMeter {
  let phase: "away" | "attached" | "leaving" | "ended" = "away";
  let holdsWeights = false;
  let step: number | undefined;
  let microBatches = 0;
  let busyAtMs = Number.NEGATIVE_INFINITY;
  let lastKind: "computing" | "evaluating" = "computing";
  /** How many micro-batches each lease has that is being computed; 0 for an evaluation. */
  const running = new Map<number, number>();
  /** Leases computed within the window, oldest first. */
  const recent: { readonly atMs: number; readonly microBatches: number }[] = [];

  function finish(work: number, nowMs: number, isComputed: boolean): void {
    const computed = running.get(work) ?? 0;
    running.delete(work);
    busyAtMs = nowMs;
    if (!isComputed || computed === 0) return;
    microBatches += computed;
    recent.push({ atMs: nowMs, microBatches: computed });
    forget(nowMs);
  }

  function forget(nowMs: number): void {
    while (recent.length > 0 && recent[0].atMs < nowMs - WINDOW_MS) recent.shift();
  }

  function stateAt(nowMs: number): WorkerActivity["state"] {
    if (phase === "ended" || phase === "leaving") return phase;
    if (phase === "away") return "waiting for the server";
    if (running.size > 0 || nowMs - busyAtMs < PAUSE_MS) return lastKind;
    return holdsWeights ? "waiting for work" : "loading the model";
  }

  return {
    event(event, nowMs) {
      switch (event.kind) {
        case "attached":
          if (phase === "away") phase = "attached";
          return;
        case "streamLost":
          holdsWeights = false;
          if (phase === "attached") phase = "away";
          return;
        case "detached":
          return running.clear();
        case "leave":
        case "drain":
          if (phase !== "ended") phase = "leaving";
          return;
        case "loaded":
          holdsWeights = true;
          return;
        case "lease":
          step = event.lease.step;
          return;
        case "computed":
          return finish(event.work, nowMs, true);
        case "evaluated":
        case "workFailed":
          return finish(event.work, nowMs, false);
      }
    },
    effect(effect) {
      if (effect.kind === "end") phase = "ended";
      if (effect.kind !== "compute") return;
      const { work } = effect;
      lastKind = work.kind === "step" ? "computing" : "evaluating";
      running.set(work.id, work.kind === "step" ? work.lease.hi - work.lease.lo : 0);
    },
    read(nowMs) {
      forget(nowMs);
      const counted = recent.reduce((sum, lease) => sum + lease.microBatches, 0);
      const sinceMs = recent.length === 0 ? WINDOW_MS : Math.max(PAUSE_MS, nowMs - recent[0].atMs);
      return { state: stateAt(nowMs), step, microBatches, microBatchesPerSecond: (1_000 * counted) / sinceMs };
    },
  };
}
