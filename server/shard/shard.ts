import { createCoreHost } from "../../shared/core-host.js";
import type { ChunkRange, Layout, WireFormat } from "../../shared/layout/index.js";
import type { Logger } from "../../shared/log.js";
import { began } from "../../shared/trace/index.js";
import { createHandlers, type ShardHandlers } from "../../shared/wire/index.js";
import type { CheckpointStore } from "../checkpoint/index.js";
import { createAdmission } from "./admission.js";
import { createCheckpointWriter } from "./checkpoint-writer.js";
import { createShardCore, type ShardEvent, slotsMax } from "./core/index.js";
import { createEffects, type MeasuredReport, type ShardWork, workOf } from "./effects.js";
import { createEncoding } from "./encoding.js";
import { createMeasures } from "./measures.js";
import type { NearFolder } from "./near/near-folder.js";
import { createNearHandler } from "./near/near-service.js";
import { createNearSharing } from "./near/near-sharing.js";
import { createPublisher } from "./publisher.js";
import { createPushService } from "./push-service.js";
import { createSlice } from "./slice.js";
import { createTraffic, type ShardTraffic } from "./traffic.js";
import { traceWork } from "./work-spans.js";

/** A shard's shell: it passes events to the core, performs what the core decides, and serves the workers over gRPC. */
export interface Shard {
  /** For `server.addService(shardService, …)`. */
  readonly handlers: ShardHandlers;
  /** The steps of which it has a complete checkpoint. */
  checkpoints(): number[];
  /** Handles a command of the coordinator, or `detached` when the coordinator is gone. */
  handle(event: ShardEvent): void;
  keep(steps: readonly number[]): void;
  /** Stops sharing memory and ends the helper threads. */
  close(): void;
  /** Live counters: they change as the shard works. */
  readonly traffic: ShardTraffic;
}

export interface ShardOptions {
  readonly layout: Layout;
  readonly range: ChunkRange;
  /** The task's wire format. */
  readonly wire: WireFormat;
  readonly runId: string;
  readonly leaseKey: Uint8Array;
  readonly store: CheckpointStore;
  /** The folder in which memory is shared with workers on this machine, if it is; closed with the shard. */
  readonly near?: NearFolder;
  readonly log: Logger;
  /** Called with every report to the coordinator, in order. */
  report(report: MeasuredReport): void;
  /**
   * Called once with the reason if the shard fails: a decision of the core could not be performed, so that the memory
   * is not in the state that the core assumes. From then on the shard does nothing and refuses every push.
   */
  onFailed(error: unknown): void;
}

export function createShard(options: ShardOptions): Shard {
  const { layout, range, wire, log, store } = options;
  const slice = createSlice(layout, range);
  const { memories } = slice;
  const sharing = createNearSharing({ near: options.near, layout, range, memories, log });
  const encoding = createEncoding(slice, wire);
  const traffic = createTraffic();
  const measures = createMeasures();
  const publisher = createPublisher(encoding.weights, traffic.sent);
  const chunks = layout.chunks.slice(range.firstChunk, range.endChunk);
  const active = chunks.filter((chunk) => chunk.kind !== "frozen").map((chunk) => chunk.index);
  const chunkBytes = Math.max(...chunks.map((chunk) => chunk.length)) * 8;
  const core = createShardCore({
    chunks: active,
    reportsLosses: range.firstChunk === 0,
    slotsMax: slotsMax(active.length, chunkBytes),
  });
  const term = (): number => core.state.term;
  const writer = createCheckpointWriter({
    store,
    log,
    term,
    onWritten: (step, error) => host.dispatch({ kind: "checkpointed", step, error }),
  });
  const perform = createEffects({
    layout,
    slice,
    store,
    writer,
    publisher,
    sharing,
    measures,
    term,
    frozen: chunks.filter((chunk) => chunk.kind === "frozen").map((chunk) => chunk.index),
    dispatch: (event) => host.dispatch(event),
    report: options.report,
  });
  const host = createCoreHost<ShardEvent, ShardWork>({
    handle(event) {
      if (event.kind === "restore" || event.kind === "detached") {
        publisher.retract();
        slice.clear();
        sharing?.returned();
        sharing?.weights.startChange();
      }
      if (event.kind === "plan") measures.restart();
      // They are judged again after this event's effects, once this call stack has returned.
      admission.wake();
      return workOf(core.handle(event));
    },
    perform(work) {
      const begun = began();
      perform(work);
      traceWork(work, begun);
    },
    onFailed(error) {
      admission.wake();
      options.onFailed(error);
    },
  });
  const admission = createAdmission(core, host);
  const { runId, leaseKey } = options;
  const handlers = createHandlers((error, method) => log.error({ err: error, method }, "a handler failed"));

  return {
    checkpoints: () => store.list(),
    handle: host.dispatch,
    keep: (steps) => store.keep(steps),
    traffic,
    close() {
      sharing?.close();
      slice.close();
    },
    handlers: {
      ...createPushService(
        { layout, range, wire, runId, leaseKey, slice: encoding, admission, publisher, measures, traffic },
        handlers,
      ),
      Near: createNearHandler(
        sharing,
        { layout, range, active, memories, runId, leaseKey, admission, measures, traffic },
        handlers,
      ),
    },
  };
}
