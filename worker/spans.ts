/**
 * The worker's timeline for the trace, derived from the events and effects of its core: what it waits for starts with
 * one of them and ends with another.
 */
import { began, span } from "../shared/trace/index.js";
import type { StepWork, WeightsVersion, WorkerEffect, WorkerEvent } from "./core/index.js";

export interface WorkerSpans {
  /** An event is about to be handled. */
  event(event: WorkerEvent): void;
  /** An effect has been performed, from `startedMs` until now. */
  effect(effect: WorkerEffect, startedMs: number): void;
}

export function createWorkerSpans(): WorkerSpans {
  let coming: (WeightsVersion & { readonly startedMs: number }) | undefined;
  let loading: (WeightsVersion & { readonly startedMs: number }) | undefined;
  const computing = new Map<number, { readonly startedMs: number; readonly trace: (startedMs: number) => void }>();
  const pushes = new Map<string, { readonly startedMs: number; readonly work: StepWork }>();

  /** Receiving weights of a version starts when it is first announced. */
  function come({ term, version }: WeightsVersion): void {
    if (coming?.term === term && coming.version === version) return;
    coming = { term, version, startedMs: began() };
  }

  function computed(work: number): void {
    const done = computing.get(work);
    computing.delete(work);
    done?.trace(done.startedMs);
  }

  function pushed(work: number, shard: number): void {
    const done = pushes.get(`${work} ${shard}`);
    pushes.delete(`${work} ${shard}`);
    if (done !== undefined) span("push", done.startedMs, done.work.lease.lease, done.work.lease.step, shard);
  }

  return {
    event(event) {
      switch (event.kind) {
        case "chunk":
        case "shardWeights":
          return come(event);
        case "loaded":
          // If θ moved meanwhile, it is loaded again.
          if (loading === undefined || (event.moved?.length ?? 0) > 0) return;
          return span("held", loading.startedMs, loading.version, loading.term);
        case "lease":
          return span("leased", began(), event.lease.lease, event.lease.step, event.lease.lo, event.lease.hi);
        case "computed":
        case "evaluated":
        case "workFailed":
          return computed(event.work);
        case "pushed":
        case "pushFailed":
          return pushed(event.work, event.shard);
      }
    },

    effect(effect, startedMs) {
      switch (effect.kind) {
        case "takeChunk":
          return span("taken", startedMs, effect.shard);
        case "load":
          loading = { ...effect.weights, startedMs };
          if (coming !== undefined) span("weights", coming.startedMs, coming.version, coming.term);
          return;
        case "compute": {
          const { work } = effect;
          computing.set(work.id, { startedMs, trace: traceOf(work) });
          return;
        }
        case "push":
          pushes.set(`${effect.work.id} ${effect.shard}`, { startedMs, work: effect.work });
      }
    },
  };
}

function traceOf(work: Extract<WorkerEffect, { kind: "compute" }>["work"]): (startedMs: number) => void {
  if (work.kind === "evaluation") {
    const { version, firstBatch, endBatch } = work.lease;
    return (startedMs) => span("evaluate", startedMs, version, firstBatch, endBatch);
  }
  const { lease, step, lo, hi } = work.lease;
  return (startedMs) => span("compute", startedMs, lease, step, lo, hi);
}
