import { createWorkerCore, type WorkerCore } from "./core.js";
import type { Attachment, StepLease, WorkerEffect, WorkerEvent } from "./messages.js";

/** Two shards with two chunks each, the last chunk frozen. */
export const ATTACHMENT: Attachment = {
  chunks: [{ kind: "parameter" }, { kind: "parameter" }, { kind: "tail" }, { kind: "frozen" }],
  shards: [
    { firstChunk: 0, endChunk: 2 },
    { firstChunk: 2, endChunk: 4 },
  ],
  microBatchesTotal: 100,
  slots: { total: 0, perLease: 1 },
  newMemory: true,
};

export interface Driven {
  readonly core: WorkerCore;
  nowMs: number;
  /** Has the core handle the events in turn. @returns the effects of the last, but for notes. */
  handle(...events: readonly WorkerEvent[]): WorkerEffect[];
  /** All chunks of a version arrive. @returns all effects except those that take them */
  publish(term: number, version: number): WorkerEffect[];
  /** They come and the threads copy them. */
  hold(term: number, version: number): WorkerEffect[];
  /** Computes what it is computing, into these slots. */
  computed(...slots: readonly number[]): WorkerEffect[];
}

export const CONNECT_WAIT_MS = 5_000;
export const RECONNECT_WAIT_MS = 60_000;

/** A core that has been started. */
export function startCore(): Driven {
  const core = createWorkerCore({ connectWaitMs: CONNECT_WAIT_MS, reconnectWaitMs: RECONNECT_WAIT_MS });
  const driven: Driven = {
    core,
    nowMs: 0,
    handle(...events) {
      let effects: WorkerEffect[] = [];
      for (const event of events) effects = core.handle(event, driven.nowMs);
      return effects.filter(({ kind }) => kind !== "note");
    },
    publish(term, version) {
      const chunks = [...ATTACHMENT.chunks.keys()].reverse();
      const effects = chunks.flatMap((chunk) =>
        driven.handle({ kind: "chunk", shard: Math.floor(chunk / 2), chunk, term, version }),
      );
      return effects.filter(({ kind }) => kind !== "takeChunk");
    },
    hold(term, version) {
      driven.publish(term, version);
      return driven.handle({ kind: "loaded" });
    },
    computed: (...slots) =>
      driven.handle({ kind: "computed", work: core.state.computing!.work.id, slots, computeMs: 1, samplesMs: 0 }),
  };
  driven.handle({ kind: "start" });
  return driven;
}

/** A core that is attached. */
export function attachedCore(attachment: Partial<Attachment> = {}): Driven {
  const driven = startCore();
  driven.handle({ kind: "attached", attachment: { ...ATTACHMENT, ...attachment } });
  return driven;
}

/** Leaves [lo, hi) of a step of four micro-batches. */
export function lease(step: number, lo: number, hi: number, term = 1): WorkerEvent {
  const given: StepLease = {
    lease: 100 * step + lo,
    term,
    step,
    firstMicroBatch: 4 * step,
    microBatches: 4,
    lo,
    hi,
    leafCoefficients1: [],
    leafCoefficients2: [],
    mac: new Uint8Array(),
  };
  return { kind: "lease", lease: given };
}

export const evaluation = (term: number, version: number): WorkerEvent => ({
  kind: "evaluation",
  lease: { term, version, firstBatch: 0, endBatch: 2 },
});

export const kindsOf = (effects: readonly WorkerEffect[]): string[] => effects.map(({ kind }) => kind);

/** What is reported, in words: "leaseFailed 3". */
export const reportsOf = (effects: readonly WorkerEffect[]): string[] =>
  effects.flatMap((effect) => {
    if (effect.kind !== "report") return [];
    const { report } = effect;
    return "lease" in report ? `${report.kind} ${report.lease}` : report.kind;
  });

/** Leases that are to be computed from now on. */
export const begunBy = (effects: readonly WorkerEffect[]): number[] =>
  effects.flatMap((effect) =>
    effect.kind === "compute" && effect.work.kind === "step" ? effect.work.lease.lease : [],
  );
