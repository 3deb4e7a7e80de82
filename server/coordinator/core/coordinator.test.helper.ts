/** A coordinator whose events and effects are written in words, for the tests of its core. */
import type { StepCoefficients } from "../../../shared/steps/index.js";
import { createCoordinatorCore } from "./core.js";
import type { CoordinatorEffect, CoordinatorEvent } from "./messages.js";

const coefficients = ({ c1, c2 }: { c1: number; c2: number }): StepCoefficients => ({
  mKeep: 0.9,
  mAdd: 0.1,
  vKeep: 0.99,
  vAdd: 0.01,
  squareOfSum: false,
  stepSize: 1,
  vScale: 1,
  epsilon: 1e-8,
  decay: 0,
  c1: c1 + 0.1,
  c2: c2 + 0.1,
  learningRate: 1,
  gamma1: 0.1,
  gamma2: 0.01,
});
export const start = { step: 0, microBatches: 0, c1: 0, c2: 0 };
export const scalars = {
  ledger: [],
  losses: [1],
  squaredNorms1: [],
  sums2: [],
  mergeMs: 0,
  applyMs: 0,
  bytesReceived: 0,
};

/** A coordinator of two shards and κ = 4, with events and effects in words. */
export function coordinator(options: Partial<Parameters<typeof createCoordinatorCore>[0]> = {}) {
  const core = createCoordinatorCore({
    shards: 2,
    term: 0,
    microBatchesPerStep: 4,
    microBatchSize: 8,
    kappaRecord: [],
    replay: false,
    stepsBefore: 0,
    microBatchesTotal: 40,
    checkpointEvery: 8,
    evaluateEvery: Number.POSITIVE_INFINITY,
    evaluationBatches: 0,
    checkpointsKept: 2,
    workersAwaited: 1,
    awaitMs: 1_000,
    coefficients,
    ...options,
  });
  let nowMs = 0;
  const send = (event: CoordinatorEvent): CoordinatorEffect[] => core.handle(event, nowMs);
  const both = (event: (shard: number) => CoordinatorEvent): CoordinatorEffect[] =>
    [0, 1].flatMap((i) => send(event(i)));
  return {
    core,
    send,
    both,
    wait: (ms: number) => {
      nowMs += ms;
      return send({ kind: "tick" });
    },
    /** Up to the boundary at which the shards have restored `mark`. */
    restore(mark = start) {
      both((shard) => ({ kind: "shardAttached", shard, checkpoints: [mark.step] }));
      send({ kind: "termSaved", term: core.state.term });
      return both((shard) => ({ kind: "restored", shard, term: core.state.term, mark }));
    },
    worker(name: string) {
      send({ kind: "workerAttached", worker: name });
      return send({ kind: "weightsHeld", worker: name, term: core.state.term, version: core.state.mark.step });
    },
    cover: (lo: number, hi: number, step = core.state.mark.step) =>
      both((shard) => ({ kind: "covered", shard, term: core.state.term, step, lo, hi })),
    commit: (step = core.state.mark.step) =>
      both((shard) => ({ kind: "committed", shard, term: core.state.term, step, scalars })),
  };
}

export const leases = (effects: CoordinatorEffect[]): string[] =>
  effects.flatMap((effect) =>
    effect.kind === "lease" ? [`${effect.lease.worker} [${effect.lease.lo}, ${effect.lease.hi})`] : [],
  );
export const kinds = (effects: CoordinatorEffect[]): string[] => effects.map((effect) => effect.kind);
