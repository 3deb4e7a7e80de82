/**
 * The worker's own timeline for the trace, told from the events and effects of its core: what it waits for begins with one
 * of them and ends with another.
 */
import { began, span } from "../shared/trace/index.js";
import type { StepWork, WeightsVersion, WorkerEffect, WorkerEvent } from "./core/index.js";

export interface WorkerSpans {
  /** An event is about to be handled. */
  event(event: WorkerEvent): void;
  /** An effect has been performed, which took from `begun` until now. */
  effect(effect: WorkerEffect, begun: number): void;
}

export function createWorkerSpans(): WorkerSpans {
  let coming: (WeightsVersion & { readonly begun: number }) | undefined;
  let loading: (WeightsVersion & { readonly begun: number }) | undefined;
  const computing = new Map<number, { readonly begun: number; readonly trace: (begun: number) => void }>();
  const pushes = new Map<string, { readonly begun: number; readonly work: StepWork }>();

  /** Weights of a version start to come with the first that is heard of it. */
  function come({ term, version }: WeightsVersion): void {
    if (coming?.term === term && coming.version === version) return;
    coming = { term, version, begun: began() };
  }

  function computed(work: number): void {
    const done = computing.get(work);
    computing.delete(work);
    done?.trace(done.begun);
  }

  function pushed(work: number, shard: number): void {
    const done = pushes.get(`${work} ${shard}`);
    pushes.delete(`${work} ${shard}`);
    if (done !== undefined) span("push", done.begun, done.work.lease.lease, done.work.lease.step, shard);
  }

  return {
    event(event) {
      switch (event.kind) {
        case "chunk":
        case "shardWeights":
          return come(event);
        case "loaded":
          // What moved meanwhile is loaded again.
          if (loading === undefined || (event.moved?.length ?? 0) > 0) return;
          return span("held", loading.begun, loading.version, loading.term);
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

    effect(effect, begun) {
      switch (effect.kind) {
        case "takeChunk":
          return span("taken", begun, effect.shard);
        case "load":
          loading = { ...effect.weights, begun };
          if (coming !== undefined) span("weights", coming.begun, coming.version, coming.term);
          return;
        case "compute": {
          const { work } = effect;
          computing.set(work.id, { begun, trace: traceOf(work) });
          return;
        }
        case "push":
          pushes.set(`${effect.work.id} ${effect.shard}`, { begun, work: effect.work });
      }
    },
  };
}

function traceOf(work: Extract<WorkerEffect, { kind: "compute" }>["work"]): (begun: number) => void {
  if (work.kind === "evaluation") {
    const { version, firstBatch, endBatch } = work.lease;
    return (begun) => span("evaluate", begun, version, firstBatch, endBatch);
  }
  const { lease, step, lo, hi } = work.lease;
  return (begun) => span("compute", begun, lease, step, lo, hi);
}
