import type { CoordinatorEffect, CoordinatorEvent, RunOutcome } from "../../server/coordinator/core/index.js";
import type { OfferedChunk, ShardEffect, ShardReport } from "../../server/shard/core/index.js";
import { createRandom, type Random, seedOf } from "../../shared/random.js";
import type { KappaFact, KappaRule } from "../../shared/steps/index.js";
import type { WorkerEffect, WorkerEvent } from "../../worker/core/index.js";
import { broken, type PromiseName } from "../promises.test.helper.js";
import { createReference, type Reference } from "./arithmetic.js";
import { checkDone } from "./checks.js";
import { createFaults } from "./faults.js";
import { coefficientsOf } from "./formulas.js";
import { createQueue, type Queue } from "./queue.js";
import { createSimulatedCoordinator } from "./simulated-coordinator.js";
import { createSimulatedShard, type SimulatedShard } from "./simulated-shard.js";
import { createSimulatedWorker, type SimulatedWorker } from "./simulated-worker.js";

/**
 * A whole cluster in virtual time: one coordinator, some shards, some workers, each the real core in a simulated
 * shell, joined by links that delay, break and lose, on disks that lose what was not synced. Every second pair of worker and
 * shard is on one machine: they read each other's memory.
 *
 * After every event the invariants are checked; a breach throws with the seed. When the faults end, the run must end
 * too, within bounded time, with the reference's weights.
 */

export interface WorldOptions {
  readonly seed: number;
  readonly workers: number;
  readonly shards: number;
  readonly chunks: number;
  readonly microBatchesPerStep: KappaRule;
  readonly microBatchesTotal: number;
  /** Faults are drawn until then; 0: none. */
  readonly faultsUntilMs: number;
  readonly faultEveryMs: number;
  /** Workers that are asked to leave, and never come back. */
  readonly workersLeave?: readonly { readonly atMs: number; readonly worker: number }[];
  /** A micro-batch that fails on every worker, always. */
  readonly poisonedMicroBatch?: number;
  /** A worker that fails at every lease, always. */
  readonly failingWorker?: number;
  /** Rewrites what passes between cores and shells: how a planted bug is switched on. */
  readonly bug?: PlantedBug;
}

export interface PlantedBug {
  readonly coordinatorEvent?: (event: CoordinatorEvent) => CoordinatorEvent[];
  readonly coordinatorEffect?: (effect: CoordinatorEffect) => CoordinatorEffect[];
  readonly shardEffect?: (effect: ShardEffect) => ShardEffect[];
  /** The record of κ, as a coordinator finds it at its start. */
  readonly kappaRecord?: (record: readonly KappaFact[]) => readonly KappaFact[];
  readonly offered?: (offered: OfferedChunk, shardTerm: number) => OfferedChunk;
  readonly workerEvent?: (event: WorkerEvent, worker: string) => WorkerEvent[];
  readonly workerEffect?: (effect: WorkerEffect, worker: string) => WorkerEffect[];
}

export interface WorldResult {
  readonly outcome: RunOutcome | undefined;
  readonly counts: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  readonly steps: number;
  readonly recomputed: number;
  /** κ of each step. */
  readonly kappas: readonly number[];
  /** One line per event, for comparing two runs of one seed. */
  readonly trace: readonly string[];
}

/** What the simulated parts may use of their world. */
export interface World {
  readonly queue: Queue;
  readonly options: WorldOptions;
  readonly reference: Reference;
  readonly shards: readonly SimulatedShard[];
  readonly workers: readonly SimulatedWorker[];
  /** Micro-batches that came out as NaN once. */
  readonly nonFinite: Set<number>;
  count(what: string): void;
  trace(line: string): void;
  /** Ends the simulation: an invariant is broken, and with it this promise, if it is one's own. */
  fail(promise: PromiseName | undefined, message: string): never;
  /** A delay drawn for a message or a computation; the streams of different parts are independent. */
  drawMs(stream: string, minMs: number, maxMs: number): number;
  chance(stream: string, probability: number): boolean;
  toCoordinator(event: CoordinatorEvent): void;
  shardReport(shard: number, report: ShardReport): void;
  /** A shard has just updated the first of its chunks in a step. */
  partlyApplied(): void;
  readonly coordinatorUp: boolean;
}

/** The virtual time that must be enough for the rest of the run after the last fault. */
const HEALED_MS = 400_000;
export const CHECKPOINTS_KEPT = 2;

export function simulate(options: WorldOptions): WorldResult {
  const { seed } = options;
  const counts: Record<string, number> = {};
  const trace: string[] = [];
  const random = createStreams(seed);
  const reference = createReference(options.chunks, coefficientsOf);
  const shards: SimulatedShard[] = [];
  const workers: SimulatedWorker[] = [];
  const queue = createQueue(seed, () => {
    for (const shard of shards) shard.check();
    checkDone(world, coordinator.state ?? {});
  });
  const world: World = {
    ...{ queue, options, reference, shards, workers, nonFinite: new Set() },
    count: (what) => {
      counts[what] = (counts[what] ?? 0) + 1;
    },
    trace: (line) => void trace.push(`${queue.nowMs.toFixed(3)} ${line}`),
    fail(promise, message) {
      const found = `seed ${seed} at ${queue.nowMs.toFixed(0)} ms: ${message}`;
      throw new Error(promise === undefined ? found : broken(promise, found));
    },
    drawMs: (stream, minMs, maxMs) => minMs + random(stream).next() * (maxMs - minMs),
    chance: (stream, probability) => random(stream).next() < probability,
    toCoordinator: (event) => coordinator.dispatch(event),
    shardReport: (shard, report) => coordinator.shardReport(shard, report),
    partlyApplied: () => faults.partlyApplied(),
    get coordinatorUp() {
      return coordinator.up;
    },
  };
  const coordinator = createSimulatedCoordinator(world);
  const faults = createFaults(world, coordinator, (n) => random("faults").below(n));

  for (let index = 0; index < options.shards; index++) shards.push(createSimulatedShard(index, world));
  for (let index = 0; index < options.workers; index++) workers.push(createSimulatedWorker(index, world));
  coordinator.start();
  for (const { atMs, worker } of options.workersLeave ?? []) {
    queue.after(atMs, () => workers[worker].leave(HEALED_MS));
  }
  faults.start();
  queue.run(options.faultsUntilMs + HEALED_MS, () => coordinator.outcome !== undefined);

  const { outcome, lastTerm, steps, recomputed } = coordinator;
  if (outcome === undefined) {
    world.fail("advances", `no end ${HEALED_MS / 1000} s after the last fault, in phase ${coordinator.state?.phase}`);
  }
  const kappas = outcome?.ok === true ? checkEnd(world, lastTerm, outcome.mark.step) : [];
  return { outcome, counts, virtualMs: queue.nowMs, steps, recomputed, kappas, trace };
}

/** The run has ended with the reference's weights. @returns κ of each step */
function checkEnd({ reference, options, shards, fail }: World, term: number, steps: number): number[] {
  const last = reference.at(term, steps);
  if (last.mark.microBatches !== options.microBatchesTotal)
    fail("countedOnce", `ended at micro-batch ${last.mark.microBatches}`);
  for (const shard of shards) shard.checkFinal(last);
  return Array.from({ length: steps }, (_, step) => reference.kappaOf(step)!);
}

/** Streams of random numbers by name, each independent of the others. */
function createStreams(seed: number): (name: string) => Random {
  const streams = new Map<string, Random>();
  return (name) => {
    const stream = streams.get(name) ?? createRandom(seedOf(seed, name));
    streams.set(name, stream);
    return stream;
  };
}
