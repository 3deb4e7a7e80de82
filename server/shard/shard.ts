import { verifyLeaseMac } from "../../shared/credentials/index.js";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import { failAt } from "../../shared/fail-point.js";
import type { ChunkRange, Layout } from "../../shared/layout/index.js";
import type { Logger } from "../../shared/log.js";
import type { CheckpointMark } from "../../shared/steps/index.js";
import {
  createHandlers,
  createWriter,
  type PushMessage__Output,
  type PushResult,
  readMessages,
  type ShardHandlers,
  verifyCrc32,
} from "../../shared/wire/index.js";
import type { CheckpointStore } from "../checkpoint/index.js";
import {
  createShardCore,
  type OfferedChunk,
  type ShardEffect,
  type ShardEvent,
  type ShardReport,
} from "./core/index.js";
import { createPublisher } from "./publisher.js";
import { createSlice, sumsBytes } from "./slice.js";

/** A shard's shell: it feeds the core, performs what the core decides, and speaks gRPC with the workers. */
export interface Shard {
  /** For `server.addService(shardService, …)`. */
  readonly handlers: ShardHandlers;
  /** Steps that it has a whole checkpoint of. */
  checkpoints(): number[];
  /** A command of the coordinator, or `detached` when there is none any more. */
  handle(event: ShardEvent): void;
  keep(steps: readonly number[]): void;
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
}

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
  const publisher = createPublisher(slice.weights);
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

  function handle(event: ShardEvent): void {
    if (event.kind === "restore" || event.kind === "detached") publisher.retract();
    if (event.kind === "plan") measures = noMeasures();
    performAll(core.handle(event));
    wakeWaiting();
  }

  function wakeWaiting(): void {
    for (const wake of waiting.splice(0)) wake();
  }

  function performAll(effects: readonly ShardEffect[]): void {
    for (const effect of effects) perform(effect);
  }

  function perform(effect: ShardEffect): void {
    switch (effect.kind) {
      case "load":
        return load(effect.epoch, effect.step);
      case "stage":
      case "accumulate": {
        const { plan } = core.state;
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
        const norms = slice.apply(layout.chunks[effect.chunk], effect.slot, effect.plan);
        measures.applyMs += performance.now() - start;
        if (norms !== undefined) measures.norms.set(effect.chunk, norms);
        return;
      }
      case "publish":
        return publisher.publish(layout.chunks[effect.chunk], effect.epoch, effect.version);
      case "snapshot":
        return void write(effect.mark);
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
      const { microBatches, c1, c2 } = meta;
      handle({ kind: "restored", epoch, mark: { step, microBatches, c1, c2 } });
    } catch (error) {
      if (!(error instanceof IsobatchError)) throw error;
      handle({ kind: "restoreFailed", epoch, step, reason: error.message });
    }
  }

  async function write(mark: CheckpointMark): Promise<void> {
    let error: string | undefined;
    try {
      await store.write(slice.snapshot(), mark);
    } catch (caught) {
      log.error({ step: mark.step, error: messageOf(caught) }, "the checkpoint was not written");
      error = messageOf(caught);
    }
    handle({ kind: "checkpointed", step: mark.step, error });
  }

  /** Offers until the answer is final. */
  async function offer(offered: OfferedChunk, sums: Buffer, gone: AbortSignal): Promise<"accepted" | "dropped"> {
    const chunk = layout.chunks[offered.chunk];
    for (;;) {
      if (!slice.receive(chunk, sums)) {
        throw new IsobatchError("damaged", `Chunk ${offered.chunk} of [${offered.lo}, ${offered.hi}) is not finite.`);
      }
      const { verdict, effects } = core.offer(offered);
      if (verdict.verdict === "refused") throw new IsobatchError("refused", `The push is refused: ${verdict.reason}.`);
      if (verdict.verdict !== "wait") {
        performAll(effects);
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

  /** Everything about a pushed chunk that can be told without the state; throws what is wrong. */
  function check(lease: Lease, chunk: NonNullable<PushMessage__Output["chunk"]>): void {
    const { lo, hi, chunk: index, sums } = chunk;
    const what = `Chunk ${index} of [${lo}, ${hi})`;
    const refuse = (reason: string): never => {
      throw new IsobatchError("refused", `The push is refused: ${reason}.`);
    };
    if (!(lo >= lease.lo && hi <= lease.hi && lo < hi))
      refuse(`${what} is not of the lease [${lease.lo}, ${lease.hi})`);
    if (!(index >= range.firstChunk && index < range.endChunk) || layout.chunks[index].kind === "frozen") {
      refuse(`chunk ${index} is not among those this shard takes, ${range.firstChunk} to ${range.endChunk - 1}`);
    }
    const expected = sumsBytes(layout.chunks[index], hi - lo);
    if (sums.length !== expected) refuse(`${what} has ${sums.length} bytes instead of ${expected}`);
    verifyCrc32(sums, chunk.crc32, what);
  }

  const { clientStream, serverStream } = createHandlers((error, method) => {
    log.error({ err: error, method }, "a handler failed");
  });

  return {
    checkpoints: () => store.list(),
    handle,
    keep: (steps) => store.keep(steps),
    handlers: {
      PushSums: clientStream<PushMessage__Output, PushResult>(async (call) => {
        const gone = new AbortController();
        call.on("cancelled", () => gone.abort(new IsobatchError("interrupted", "The worker has gone.")));
        const result = { accepted: 0, dropped: 0 };
        let lease: Lease | undefined;
        for await (const message of readMessages(call, { stallMs: STALL_MS, what: "A push" })) {
          if (message.lease != null) {
            lease = checkLease(options, message.lease);
          } else if (lease === undefined || message.chunk == null) {
            throw new IsobatchError("invalid_input", "A push must begin with its lease.");
          } else {
            const { chunk } = message;
            check(lease, chunk);
            failAt("shard.push");
            measures.bytesReceived += chunk.sums.length;
            const losses = lease.losses.slice(chunk.lo - lease.lo, chunk.hi - lease.lo);
            const { worker, epoch, step } = lease;
            const offered = { worker, epoch, step, lo: chunk.lo, hi: chunk.hi, chunk: chunk.chunk, losses };
            result[await offer(offered, chunk.sums, gone.signal)]++;
          }
        }
        return result;
      }),
      WatchWeights: serverStream(async (call) => {
        await publisher.watch(createWriter(call, { stallMs: STALL_MS, what: "The weights' stream" }));
      }),
    },
  };
}

interface Lease {
  readonly worker: string;
  readonly epoch: number;
  readonly step: number;
  readonly lo: number;
  readonly hi: number;
  readonly losses: number[];
}

function checkLease(
  { runId, leaseKey }: Pick<ShardOptions, "runId" | "leaseKey">,
  push: NonNullable<PushMessage__Output["lease"]>,
): Lease {
  const { workerId, lease, epoch, step, lo, hi, mac, losses } = push;
  if (!verifyLeaseMac(leaseKey, { runId, workerId, lease, epoch, step, lo, hi }, mac)) {
    throw new IsobatchError("refused", `The push is refused: worker ${workerId} has no such lease in this run.`);
  }
  if (losses.length !== hi - lo || !losses.every(Number.isFinite)) {
    throw new IsobatchError("refused", `The push is refused: it needs ${hi - lo} finite losses.`);
  }
  return { worker: workerId, epoch, step, lo, hi, losses };
}

function noMeasures() {
  return {
    norms: new Map<number, { squaredNorm1: number; sum2: number }>(),
    mergeMs: 0,
    applyMs: 0,
    bytesReceived: 0,
  };
}
