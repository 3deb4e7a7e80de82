import { rmSync } from "node:fs";
import type { Metadata } from "@grpc/grpc-js";
import { checkMember } from "../../shared/credentials/index.js";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import { failAt } from "../../shared/fail-point.js";
import type { ChunkRange, Layout } from "../../shared/layout/index.js";
import type { Logger } from "../../shared/log.js";
import type { CheckpointMark, StepPlan } from "../../shared/steps/index.js";
import {
  callerOf,
  createHandlers,
  createWriter,
  type PushMessage__Output,
  type PushResult,
  readMessages,
  type ShardHandlers,
} from "../../shared/wire/index.js";
import type { CheckpointStore, SliceState } from "../checkpoint/index.js";
import { checkChunk, checkLease, type PushedLease } from "./check-push.js";
import {
  createShardCore,
  type OfferedChunk,
  type ShardEffect,
  type ShardEvent,
  type ShardReport,
} from "./core/index.js";
import { createPublisher } from "./publisher.js";
import { createSlice } from "./slice.js";
import { createTraffic, rejection, type ShardTraffic } from "./traffic.js";

/** A shard's shell: it feeds the core, performs what the core decides, and speaks gRPC with the workers. */
export interface Shard {
  /** For `server.addService(shardService, …)`. */
  readonly handlers: ShardHandlers;
  /** Steps that it has a whole checkpoint of. */
  checkpoints(): number[];
  /** A command of the coordinator, or `detached` when there is none any more. */
  handle(event: ShardEvent): void;
  keep(steps: readonly number[]): void;
  /** Grows as it is looked at. */
  readonly traffic: ShardTraffic;
}

export interface ShardOptions {
  readonly layout: Layout;
  readonly range: ChunkRange;
  readonly runId: string;
  readonly leaseKey: Uint8Array;
  readonly store: CheckpointStore;
  readonly log: Logger;
  /** Hears every report to the coordinator, in order. */
  report(report: MeasuredReport): void;
  /**
   * Hears why the shard can't go on, once: what the core decided could not be done, so that its memory is not what
   * the core thinks it is. From then on it does nothing and refuses every push.
   */
  onFailed(error: unknown): void;
}

/** A call, as far as it tells who makes it. */
type Caller = { readonly metadata: Metadata };

/** A report with what only the shell can measure. */
export type MeasuredReport = ShardReport & { readonly measured?: CommitMeasures };

export interface CommitMeasures {
  /** One a chunk of parameters, in order. */
  readonly squaredNorms1: number[];
  readonly sums2: number[];
  readonly mergeMs: number;
  readonly applyMs: number;
  readonly bytesReceived: number;
}

/** Staged sums may take so much memory before pushes have to wait their turn. */
const STAGED_BYTES_MAX = 2 ** 30;
/** A push or a watcher that moves nothing for so long is cut off. */
const STALL_MS = 60_000;

export function createShard(options: ShardOptions): Shard {
  const { layout, range, log, store } = options;
  const slice = createSlice(layout, range);
  const traffic = createTraffic();
  const publisher = createPublisher(slice.weights, traffic.sent);
  const chunks = layout.chunks.slice(range.firstChunk, range.endChunk);
  const active = chunks.filter((chunk) => chunk.kind !== "frozen");
  const chunkBytes = Math.max(...chunks.map((chunk) => chunk.length)) * 8;
  const core = createShardCore({
    chunks: active.map((chunk) => chunk.index),
    reportsLosses: range.firstChunk === 0,
    slotsMax: Math.max(2 * active.length, Math.floor(STAGED_BYTES_MAX / chunkBytes)),
  });
  let measures = noMeasures();
  /** Pushes that wait for the next event; see `Verdict`. */
  const waiting: (() => void)[] = [];
  /** The checkpoint being written, or the last one that was. */
  let writing = Promise.resolve();
  let failure: { readonly error: unknown } | undefined;

  function handle(event: ShardEvent): void {
    if (failure !== undefined) return;
    if (event.kind === "restore" || event.kind === "detached") publisher.retract();
    if (event.kind === "plan") measures = noMeasures();
    performAll(core.handle(event), undefined);
    wakeWaiting();
  }

  function wakeWaiting(): void {
    for (const wake of waiting.splice(0)) wake();
  }

  /** @param plan what was open when the effects were decided: the last chunk of a step closes it. */
  function performAll(effects: readonly ShardEffect[], plan: StepPlan | undefined): void {
    try {
      for (const effect of effects) perform(effect, plan);
    } catch (error) {
      if (failure === undefined) {
        failure = { error };
        options.onFailed(error);
        wakeWaiting();
      }
      throw error;
    }
  }

  function perform(effect: ShardEffect, plan: StepPlan | undefined): void {
    switch (effect.kind) {
      case "load":
        return load(effect.epoch, effect.step);
      case "stage":
      case "accumulate": {
        const { leaf } = effect;
        const weights =
          leaf === undefined ? undefined : { w1: plan?.leafWeights1?.[leaf] ?? 1, w2: plan?.leafWeights2?.[leaf] ?? 1 };
        const start = performance.now();
        slice[effect.kind](layout.chunks[effect.chunk], effect.slot, weights);
        measures.mergeMs += performance.now() - start;
        return;
      }
      case "merge": {
        const start = performance.now();
        slice.merge(layout.chunks[effect.chunk], effect.into, effect.from);
        measures.mergeMs += performance.now() - start;
        return;
      }
      case "apply": {
        failAt("shard.apply");
        const start = performance.now();
        const chunk = layout.chunks[effect.chunk];
        const norms = slice.norms(chunk, effect.slot);
        if (!Number.isFinite(norms.squaredNorm1 + norms.sum2)) throw overflow(effect.plan);
        slice.apply(chunk, effect.slot, effect.plan);
        measures.applyMs += performance.now() - start;
        if (chunk.kind === "parameter") measures.norms.set(effect.chunk, norms);
        return;
      }
      case "publish":
        return publisher.publish(layout.chunks[effect.chunk], effect.epoch, effect.version);
      case "snapshot":
        writing = write(slice.snapshot(), effect.mark, core.state.epoch, writing);
        return;
      case "report":
        return report(effect.report);
    }
  }

  function report(report: ShardReport): void {
    if (report.kind !== "committed") return options.report(report);
    const norms = [...measures.norms].sort(([a], [b]) => a - b).map(([, norm]) => norm);
    const { mergeMs, applyMs, bytesReceived } = measures;
    options.report({
      ...report,
      measured: {
        squaredNorms1: norms.map((norm) => norm.squaredNorm1),
        sums2: norms.map((norm) => norm.sum2),
        mergeMs,
        applyMs,
        bytesReceived,
      },
    });
  }

  /** Synchronous, so that no newer load can come in between. */
  function load(epoch: number, step: number): void {
    try {
      const meta = slice.restore((into, elements) => store.load(step, into, elements));
      store.dropNewerThan(step);
      for (const chunk of chunks) if (chunk.kind === "frozen") publisher.publish(chunk, epoch, step);
      const { microBatches, c1, c2, noise } = meta;
      handle({ kind: "restored", epoch, mark: { step, microBatches, c1, c2, ...(noise && { noise }) } });
    } catch (error) {
      if (!(error instanceof IsobatchError)) throw error;
      handle({ kind: "restoreFailed", epoch, step, reason: error.message });
    }
  }

  /**
   * Writes a checkpoint once the one before is done with. When the run has gone back meanwhile, nobody asks for it any
   * more: its step is of an abandoned history, and `load` may have removed it in the middle of the writing.
   */
  async function write(state: SliceState, mark: CheckpointMark, epoch: number, before: Promise<void>): Promise<void> {
    await before;
    const abandoned = (): boolean => core.state.epoch !== epoch;
    if (abandoned()) return;
    try {
      const { path } = await store.write(state, mark);
      if (abandoned()) rmSync(path, { force: true });
      else handle({ kind: "checkpointed", step: mark.step });
    } catch (error) {
      if (abandoned()) return;
      log.error({ step: mark.step, error: messageOf(error) }, "the checkpoint was not written");
      handle({ kind: "checkpointed", step: mark.step, error: messageOf(error) });
    }
  }

  /** Offers until the answer is final. */
  async function offer(offered: OfferedChunk, sums: Buffer, gone: AbortSignal): Promise<"accepted" | "dropped"> {
    const chunk = layout.chunks[offered.chunk];
    for (;;) {
      if (failure !== undefined) {
        const why = messageOf(failure.error);
        throw rejection("shard_failed", `The push is refused: the shard can't go on: ${why}`);
      }
      if (!slice.receive(chunk, sums)) {
        throw rejection("not_finite", `Chunk ${offered.chunk} of [${offered.lo}, ${offered.hi}) is not finite.`);
      }
      const { plan } = core.state;
      const { verdict, effects } = core.offer(offered);
      if (verdict.verdict === "refused") {
        throw rejection(verdict.rejection, `The push is refused: ${verdict.reason}.`);
      }
      if (verdict.verdict !== "wait") {
        performAll(effects, plan);
        if (effects.length > 0) wakeWaiting();
        return verdict.verdict;
      }
      await new Promise<void>((resolve, reject) => {
        const leave = (): void => reject(gone.reason);
        gone.addEventListener("abort", leave, { once: true });
        waiting.push(() => {
          gone.removeEventListener("abort", leave);
          resolve();
        });
      });
    }
  }

  async function take(messages: AsyncIterable<PushMessage__Output>, call: Caller, gone: AbortSignal) {
    const result = { accepted: 0, dropped: 0 };
    let lease: PushedLease | undefined;
    for await (const message of messages) {
      if (message.lease != null) {
        checkJoined(message.lease, call);
        lease = checkLease(options, message.lease);
      } else if (lease === undefined || message.chunk == null) {
        throw rejection("malformed", "A push must begin with its lease.");
      } else {
        const { chunk } = message;
        checkChunk(options, lease, chunk);
        failAt("shard.push");
        measures.bytesReceived += chunk.sums.length;
        traffic.received(chunk.sums.length);
        const losses = lease.losses.slice(chunk.lo - lease.lo, chunk.hi - lease.lo);
        const { worker, epoch, step } = lease;
        const offered = { worker, epoch, step, lo: chunk.lo, hi: chunk.hi, chunk: chunk.chunk, losses };
        result[await offer(offered, chunk.sums, gone)]++;
      }
    }
    return result;
  }

  /** Only who has joined, and with the token of this very call, gets weights or is heard. */
  function checkJoined({ workerId, seal }: { workerId: string; seal: Uint8Array }, call: Caller): void {
    checkMember(options.leaseKey, { runId: options.runId, workerId, token: callerOf(call)?.name ?? "" }, seal);
  }

  const { clientStream, serverStream } = createHandlers((error, method) => {
    log.error({ err: error, method }, "a handler failed");
  });

  return {
    checkpoints: () => store.list(),
    handle,
    keep: (steps) => store.keep(steps),
    traffic,
    handlers: {
      PushSums: clientStream<PushMessage__Output, PushResult>(async (call) => {
        const gone = new AbortController();
        call.on("cancelled", () => gone.abort(new IsobatchError("interrupted", "The worker has gone.")));
        try {
          return await take(readMessages(call, { stallMs: STALL_MS, what: "A push" }), call, gone.signal);
        } catch (error) {
          traffic.ended(error);
          throw error;
        }
      }),
      WatchWeights: serverStream(async (call) => {
        checkJoined(call.request, call);
        await publisher.watch(createWriter(call, { stallMs: STALL_MS, what: "The weights' stream" }));
      }),
    },
  };
}

/**
 * Each gradient was finite, but not their sums or squares: one lease of all leaves would have been found out by its
 * worker, so it must not depend on how the leaves were leased.
 */
function overflow({ step, firstMicroBatch, microBatches }: StepPlan): IsobatchError {
  return new IsobatchError(
    "diverged",
    `The run has diverged at step ${step}: the sums of micro-batches ${firstMicroBatch} to ` +
      `${firstMicroBatch + microBatches - 1} overflow float32; lower learningRate, or set clipNorm. Checkpoints are ` +
      "those before that step.",
  );
}

function noMeasures() {
  return {
    norms: new Map<number, { squaredNorm1: number; sum2: number }>(),
    mergeMs: 0,
    applyMs: 0,
    bytesReceived: 0,
  };
}
