import { computed, evaluated, workFailed } from "./computing.js";
import * as life from "./life.js";
import type { WorkerEffect, WorkerEvent } from "./messages.js";
import { pushed, pushFailed } from "./pushes.js";
import { addEvaluation, addLease } from "./queue.js";
import { createWorker, end, type Worker, type WorkerCoreOptions, type WorkerState } from "./state.js";
import { chunk, loaded, loadFailed, shardWeights, termOpened, weightsStreamEnded } from "./weights.js";

/**
 * A worker's decisions, without any I/O, clock or randomness: `handle(event, nowMs)` returns effects, and the shell
 * performs them in order. docs/internals/state-machines.md has every transition. `life.ts` decides how it joins, leaves
 * and reconnects; `weights.ts` what it holds; `queue.ts` and `computing.ts` what it computes; `pushes.ts` where the
 * sums go.
 */
export interface WorkerCore {
  handle(event: WorkerEvent, nowMs: number): WorkerEffect[];
  /** For tests. */
  readonly state: Readonly<WorkerState>;
}

export function createWorkerCore(options: WorkerCoreOptions): WorkerCore {
  const worker = createWorker(options);
  return {
    state: worker.state,
    handle(event, nowMs) {
      worker.effects = [];
      worker.nowMs = nowMs;
      if (worker.state.phase !== "ended") dispatch(worker, event);
      return worker.effects;
    },
  };
}

function dispatch(worker: Worker, event: WorkerEvent): void {
  switch (event.kind) {
    case "start":
      return life.start(worker);
    case "attached":
      return life.attached(worker, event.attachment);
    case "attachFailed":
      return life.attachFailed(worker, event);
    case "endedMeanwhile":
      return life.endedMeanwhile(worker, event.ok, event.reason);
    case "streamLost":
      return life.streamLost(worker, event.error);
    case "detached":
      return life.detached(worker);
    case "streamClosed":
      return worker.ending === undefined ? undefined : end(worker, worker.ending);
    case "failed":
      return life.failed(worker, event);
    case "leave":
      return life.leave(worker, event.reason, false);
    case "stop":
      return end(worker, { reason: "stopped", ok: true });
    case "termOpened":
    case "lease":
    case "evaluation":
    case "drain":
    case "runEnded":
      worker.spoken = true;
      return handleCommand(worker, event);
    case "chunk":
      return chunk(worker, event);
    case "shardWeights":
      return shardWeights(worker, event);
    case "weightsStreamEnded":
      return weightsStreamEnded(worker, event);
    case "loaded":
      return loaded(worker, event.moved ?? []);
    case "loadFailed":
      return loadFailed(worker, event.reason);
    case "computed":
      return computed(worker, event);
    case "evaluated":
      return evaluated(worker, event);
    case "workFailed":
      return workFailed(worker, event);
    case "pushed":
      return pushed(worker, event);
    case "pushFailed":
      return pushFailed(worker, event);
  }
}

type Command = Extract<WorkerEvent, { kind: "termOpened" | "lease" | "evaluation" | "drain" | "runEnded" }>;

function handleCommand(worker: Worker, command: Command): void {
  switch (command.kind) {
    case "termOpened":
      return termOpened(worker, command);
    case "lease":
      return addLease(worker, command.lease);
    case "evaluation":
      return addEvaluation(worker, command.lease);
    case "drain":
      return life.drain(worker, command.reason);
    case "runEnded":
      return life.runEnded(worker, command.ok, command.reason);
  }
}
