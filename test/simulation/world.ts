import {
  type CoordinatorEffect,
  type CoordinatorEvent,
  createCoordinatorCore,
} from "../../server/coordinator/core/index.js";
import type { Outcome } from "../../server/coordinator/core/messages.js";
import type { OfferedChunk, ShardEffect, ShardReport } from "../../server/shard/core/index.js";
import { createRandom, seedOf } from "../../shared/random.js";
import type { StepCoefficients } from "../../shared/steps/index.js";
import { type ReferenceVersion, referenceRun } from "./arithmetic.js";
import { createQueue, type Queue } from "./queue.js";
import { createSimulatedShard, type SimulatedShard } from "./simulated-shard.js";
import { createSimulatedWorker, type SimulatedWorker } from "./simulated-worker.js";

/**
 * A whole cluster in virtual time: one coordinator, some shards, some workers, each a pure core (the worker: a model of
 * one) in a simulated shell, joined by links that delay, break and lose, on disks that lose what was not synced.
 *
 * After every event the invariants are checked; a breach throws with the seed. When the faults end, the run must end
 * too, within bounded time, with the reference's weights.
 */

export interface WorldOptions {
  readonly seed: number;
  readonly workers: number;
  readonly shards: number;
  readonly chunks: number;
  readonly microBatchesPerStep: number;
  readonly microBatchesTotal: number;
  /** Faults are drawn until then; 0: none. */
  readonly faultsUntilMs: number;
  readonly faultEveryMs: number;
  /** Rewrites what passes between cores and shells: how a planted bug is switched on. */
  readonly bug?: PlantedBug;
}

export interface PlantedBug {
  readonly coordinatorEvent?: (event: CoordinatorEvent) => CoordinatorEvent[];
  readonly coordinatorEffect?: (effect: CoordinatorEffect) => CoordinatorEffect[];
  readonly shardEffect?: (effect: ShardEffect) => ShardEffect[];
  readonly offered?: (offered: OfferedChunk, shardEpoch: number) => OfferedChunk;
}

export interface WorldResult {
  readonly outcome: Outcome | undefined;
  readonly counts: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  readonly steps: number;
  readonly recomputed: number;
  /** One line an event, for comparing two runs of one seed. */
  readonly trace: readonly string[];
}

/** What the simulated parts may use of their world. */
export interface World {
  readonly queue: Queue;
  readonly options: WorldOptions;
  readonly reference: readonly ReferenceVersion[];
  readonly shards: readonly SimulatedShard[];
  readonly workers: readonly SimulatedWorker[];
  /** Micro-batches that came out as NaN once. */
  readonly nonFinite: Set<number>;
  count(what: string): void;
  trace(line: string): void;
  fail(message: string): never;
  /** A delay drawn for a message or a computation; the streams of different parts are independent. */
  drawMs(stream: string, minMs: number, maxMs: number): number;
  chance(stream: string, probability: number): boolean;
  toCoordinator(event: CoordinatorEvent): void;
  shardReport(shard: number, report: ShardReport): void;
  readonly coordinatorUp: boolean;
}

const TICK_MS = 500;
/** After the faults have ended, so much virtual time must be enough for the rest of the run. */
const HEALED_MS = 400_000;

export function simulate(options: WorldOptions): WorldResult {
  const { seed } = options;
  const counts: Record<string, number> = {};
  const trace: string[] = [];
  const streams = new Map<string, ReturnType<typeof createRandom>>();
  const random = (stream: string): ReturnType<typeof createRandom> => {
    let found = streams.get(stream);
    if (found === undefined) {
      found = createRandom(seedOf(seed, stream));
      streams.set(stream, found);
    }
    return found;
  };
  const coefficients = (step: { firstMicroBatch: number; microBatches: number; c1: number; c2: number }) => {
    const gamma = 0.01 * step.microBatches;
    const c1 = step.c1 + gamma * (1 - step.c1);
    const c2 = step.c2 + (gamma / 10) * (1 - step.c2);
    return {
      mKeep: 1 - gamma,
      mAdd: 0.01,
      vKeep: 1 - gamma / 10,
      vAdd: 0.001,
      squareOfSum: false,
      stepSize: 0.001 / c1 + step.firstMicroBatch,
      vScale: 1 / c2,
      epsilon: 1e-8,
      decay: 0,
      c1,
      c2,
      learningRate: 0.001,
      gamma1: gamma,
      gamma2: gamma / 10,
    } satisfies StepCoefficients;
  };
  const reference = referenceRun({ ...options, coefficients });

  let durableEpoch = 0;
  let coordinator: ReturnType<typeof createCoordinatorCore> | undefined;
  let incarnation = 0;
  let outcome: Outcome | undefined;
  let recomputed = 0;
  let lastEpoch = 0;
  let steps = 0;
  const shards: SimulatedShard[] = [];
  const workers: SimulatedWorker[] = [];

  const fail = (message: string): never => {
    throw new Error(`seed ${seed} at ${queue.nowMs.toFixed(0)} ms: ${message}`);
  };
  const queue = createQueue(seed, () => {
    for (const shard of shards) shard.check();
  });
  const world: World = {
    queue,
    options,
    reference,
    shards,
    workers,
    nonFinite: new Set(),
    count: (what) => {
      counts[what] = (counts[what] ?? 0) + 1;
    },
    trace: (line) => void trace.push(`${queue.nowMs.toFixed(3)} ${line}`),
    fail,
    drawMs: (stream, minMs, maxMs) => minMs + random(stream).next() * (maxMs - minMs),
    chance: (stream, probability) => random(stream).next() < probability,
    toCoordinator,
    shardReport(shard, report) {
      switch (report.kind) {
        case "restored":
          return toCoordinator({ kind: "restored", shard, epoch: report.epoch, mark: report.mark });
        case "committed": {
          checkLedger(shard, report);
          const { ledger, losses } = report;
          const scalars = { ledger, losses, squaredNorms1: [], sums2: [], mergeMs: 0, applyMs: 0, bytesReceived: 0 };
          return toCoordinator({ kind: "committed", shard, epoch: report.epoch, step: report.step, scalars });
        }
        default:
          return toCoordinator({ ...report, shard });
      }
    },
    get coordinatorUp() {
      return coordinator !== undefined;
    },
  };

  function checkLedger(shard: number, report: Extract<ShardReport, { kind: "committed" }>): void {
    const first = report.step * options.microBatchesPerStep;
    const leaves = Math.min(options.microBatchesPerStep, options.microBatchesTotal - first);
    const chunks = report.ledger.flatMap(({ firstChunk, endChunk, ranges }) => {
      let next = 0;
      for (const { lo, hi } of ranges) {
        if (lo !== next)
          fail(`ledger of shard ${shard}, step ${report.step}: leaf ${Math.min(lo, next)} is not there once`);
        next = hi;
      }
      if (next !== leaves) fail(`ledger of shard ${shard}, step ${report.step} ends at leaf ${next} of ${leaves}`);
      return Array.from({ length: endChunk - firstChunk }, (_, i) => firstChunk + i);
    });
    if (chunks.join() !== shards[shard].chunks.join()) fail(`ledger of shard ${shard} misses chunks`);
  }

  // ---- The coordinator's shell ----------------------------------------------------------------------------

  function toCoordinator(event: CoordinatorEvent): void {
    if (coordinator === undefined) return;
    world.count(`event ${event.kind}`);
    world.trace(`coordinator ${JSON.stringify(event)}`);
    for (const each of options.bug?.coordinatorEvent?.(event) ?? [event]) {
      const effects = coordinator.handle(each, queue.nowMs);
      for (const effect of effects)
        for (const done of options.bug?.coordinatorEffect?.(effect) ?? [effect]) perform(done);
    }
  }

  function perform(effect: CoordinatorEffect): void {
    const mine = incarnation;
    const alive = (): boolean => mine === incarnation && coordinator !== undefined;
    switch (effect.kind) {
      case "saveEpoch":
        if (effect.epoch <= durableEpoch) fail(`epoch ${effect.epoch} was used before`);
        queue.after(world.drawMs("disk", 1, 10), () => {
          if (!alive()) return;
          durableEpoch = effect.epoch;
          toCoordinator({ kind: "epochSaved", epoch: effect.epoch });
        });
        return;
      case "restore":
        if (effect.epoch > durableEpoch) fail(`epoch ${effect.epoch} is used before it is durable`);
        if (effect.epoch < lastEpoch) fail(`epoch ${effect.epoch} after ${lastEpoch}`);
        lastEpoch = effect.epoch;
        return shards[effect.shard].command({ kind: "restore", epoch: effect.epoch, step: effect.step });
      case "plan": {
        const version = reference[effect.plan.step];
        const expected = coefficients({ ...effect.plan, c1: version.mark.c1, c2: version.mark.c2 });
        if (JSON.stringify(effect.plan.coefficients) !== JSON.stringify(expected)) {
          fail(`step ${effect.plan.step} is planned with other coefficients than the reference's`);
        }
        return shards[effect.shard].command({ kind: "plan", plan: effect.plan });
      }
      case "checkpoint":
        return shards[effect.shard].command({ kind: "checkpoint", epoch: effect.epoch, mark: effect.mark });
      case "keep":
        return shards[effect.shard].keep(effect.steps);
      case "epochOpened":
      case "lease":
      case "evaluate":
      case "drain": {
        const name = effect.kind === "lease" || effect.kind === "evaluate" ? effect.lease.worker : effect.worker;
        workers.find((worker) => worker.name === name)?.command(effect);
        return;
      }
      case "checkpointWritten":
        for (const shard of shards) {
          if (!shard.isDurable(effect.step))
            fail(`checkpoint ${effect.step} is reported, shard ${shard.index} has not synced it`);
        }
        return world.count("checkpoint written");
      case "rolledBack":
        recomputed += effect.recomputed;
        return world.count("rolled back");
      case "committed":
        steps++;
        return world.count("step committed");
      case "evaluation": {
        const { weights } = reference[effect.step];
        if (effect.lossSum !== expectedEvaluation(weights)) fail(`the evaluation of version ${effect.step} is wrong`);
        return world.count("evaluation");
      }
      case "ended":
        outcome = effect.outcome;
        return world.count("ended");
      case "note":
        return;
    }
  }

  function startCoordinator(): void {
    coordinator = createCoordinatorCore({
      shards: options.shards,
      epoch: durableEpoch,
      microBatchesPerStep: options.microBatchesPerStep,
      microBatchesTotal: options.microBatchesTotal,
      checkpointEvery: 5 * options.microBatchesPerStep,
      evaluateEvery: 7 * options.microBatchesPerStep,
      evaluationBatches: EVALUATION_BATCHES,
      checkpointsKept: 2,
      workersAwaited: options.workers,
      awaitMs: 1_000,
      coefficients,
    });
    const mine = incarnation;
    const tick = (): void => {
      if (mine !== incarnation || outcome !== undefined) return;
      toCoordinator({ kind: "tick" });
      queue.after(TICK_MS, tick);
    };
    tick();
    for (const shard of shards) shard.reattach();
    for (const worker of workers) worker.reattach();
  }

  // ---- Faults ---------------------------------------------------------------------------------------------

  const pick = <T>(items: readonly T[]): T => items[random("faults").below(items.length)];
  const faults: Record<string, () => void> = {
    "worker killed": () => pick(workers).kill(world.drawMs("faults", 10, 3_000)),
    "worker paused": () => pick(workers).pause(world.drawMs("faults", 100, 20_000)),
    "worker's stream broken": () => pick(workers).breakCoordinatorStream(),
    "push broken": () => pick(workers).breakPushes(),
    "shard killed": () => pick(shards).kill(world.drawMs("faults", 10, 3_000)),
    "shard's stream broken": () => pick(shards).breakCoordinatorStream(),
    "checkpoint damaged": () => pick(shards).damageNewestCheckpoint(),
    "coordinator killed": () => {
      if (coordinator === undefined) return;
      coordinator = undefined;
      incarnation++;
      for (const shard of shards) shard.coordinatorGone();
      for (const worker of workers) worker.coordinatorGone();
      queue.after(world.drawMs("faults", 10, 3_000), startCoordinator);
    },
    "everything killed": () => {
      faults["coordinator killed"]();
      for (const shard of shards) shard.kill(world.drawMs("faults", 10, 3_000));
      for (const worker of workers) worker.kill(world.drawMs("faults", 10, 3_000));
    },
  };

  function nextFault(): void {
    if (queue.nowMs >= options.faultsUntilMs || outcome !== undefined) return;
    const name = pick(Object.keys(faults));
    world.count(`fault: ${name}`);
    world.trace(`fault: ${name}`);
    faults[name]();
    queue.after(world.drawMs("faults", 0, 2 * options.faultEveryMs), nextFault);
  }

  for (let index = 0; index < options.shards; index++) shards.push(createSimulatedShard(index, world));
  for (let index = 0; index < options.workers; index++) workers.push(createSimulatedWorker(index, world));
  startCoordinator();
  if (options.faultsUntilMs > 0) queue.after(world.drawMs("faults", 0, options.faultEveryMs), nextFault);
  queue.run(options.faultsUntilMs + HEALED_MS, () => outcome !== undefined);

  if (outcome === undefined)
    fail(`no end ${HEALED_MS / 1000} s after the last fault, in phase ${coordinator?.state.phase}`);
  if (outcome?.ok === true) {
    const last = reference.length - 1;
    if (outcome.mark.step !== last) fail(`ended at step ${outcome.mark.step} of ${last}`);
    for (const shard of shards) shard.checkFinal(last);
  }
  return { outcome, counts, virtualMs: queue.nowMs, steps, recomputed, trace };
}

export const EVALUATION_BATCHES = 5;

/** The loss sum of one evaluation batch at these weights. */
export function evaluationLoss(batch: number, weights: readonly number[]): number {
  return weights.reduce((sum, weight) => sum + (weight % 1000) * (batch + 1), 0);
}

function expectedEvaluation(weights: readonly number[]): number {
  let sum = 0;
  for (let batch = 0; batch < EVALUATION_BATCHES; batch++) sum += evaluationLoss(batch, weights);
  return sum;
}
