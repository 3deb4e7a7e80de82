import {
  type CoordinatorEffect,
  type CoordinatorEvent,
  createCoordinatorCore,
} from "../../server/coordinator/core/index.js";
import type { Outcome } from "../../server/coordinator/core/messages.js";
import type { OfferedChunk, ShardEffect, ShardReport } from "../../server/shard/core/index.js";
import { createRandom, seedOf } from "../../shared/random.js";
import {
  type KappaFact,
  type KappaRule,
  kappaFactOf,
  type StepCoefficients,
  type StepPlan,
} from "../../shared/steps/index.js";
import type { WorkerEffect, WorkerEvent } from "../../worker/core/index.js";
import { createReference, type Reference } from "./arithmetic.js";
import { createQueue, type Queue } from "./queue.js";
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
  /** Workers that are told to leave, and never come back. */
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
  /** Of how κ has changed, as a coordinator finds it at its start. */
  readonly kappaRecord?: (record: readonly KappaFact[]) => readonly KappaFact[];
  readonly offered?: (offered: OfferedChunk, shardEpoch: number) => OfferedChunk;
  readonly workerEvent?: (event: WorkerEvent, worker: string) => WorkerEvent[];
  readonly workerEffect?: (effect: WorkerEffect, worker: string) => WorkerEffect[];
}

export interface WorldResult {
  readonly outcome: Outcome | undefined;
  readonly counts: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  readonly steps: number;
  readonly recomputed: number;
  /** κ of each step. */
  readonly kappas: readonly number[];
  /** One line an event, for comparing two runs of one seed. */
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
  fail(message: string): never;
  /** A delay drawn for a message or a computation; the streams of different parts are independent. */
  drawMs(stream: string, minMs: number, maxMs: number): number;
  chance(stream: string, probability: number): boolean;
  toCoordinator(event: CoordinatorEvent): void;
  shardReport(shard: number, report: ShardReport): void;
  /** A shard has just updated the first of its chunks in a step. */
  partlyApplied(): void;
  readonly coordinatorUp: boolean;
}

const TICK_MS = 500;
/** Committed steps that are not recorded yet, at most. */
const UNRECORDED_MAX = 4;
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
  const reference = createReference(options.chunks, coefficients);

  let durableEpoch = 0;
  const durableKappa: KappaFact[] = [];
  /** Steps that are committed, those that the metrics tell of, and those that they would tell of after a power cut. */
  let committedSteps = 0;
  let metricsSteps = 0;
  let metricsSynced = 0;
  /** Steps before this one are known to whoever plans: they keep their κ. */
  let frontier = 0;
  let diskFreeAtMs = 0;
  let coordinator: ReturnType<typeof createCoordinatorCore> | undefined;
  let incarnation = 0;
  let outcome: Outcome | undefined;
  /** A fault that waits for its moment. */
  let atPartlyApplied: (() => void) | undefined;
  let recomputed = 0;
  let lastEpoch = 0;
  let steps = 0;
  const kappas: number[] = [];
  const shards: SimulatedShard[] = [];
  const workers: SimulatedWorker[] = [];

  const fail = (message: string): never => {
    throw new Error(`seed ${seed} at ${queue.nowMs.toFixed(0)} ms: ${message}`);
  };
  const queue = createQueue(seed, () => {
    for (const shard of shards) shard.check();
    checkDone();
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
          const norms = shard === 0 ? normsOf(report.epoch, report.step) : { squaredNorms1: [], sums2: [] };
          const scalars = { ledger, losses, ...norms, mergeMs: 0, applyMs: 0, bytesReceived: 0 };
          return toCoordinator({ kind: "committed", shard, epoch: report.epoch, step: report.step, scalars });
        }
        default:
          return toCoordinator({ ...report, shard });
      }
    },
    partlyApplied() {
      if (atPartlyApplied !== undefined) queue.after(0, atPartlyApplied);
      atPartlyApplied = undefined;
    },
    get coordinatorUp() {
      return coordinator !== undefined;
    },
  };

  /** A leaf is done only when every shard covers it. */
  function checkDone(): void {
    const { board, plan } = coordinator?.state ?? {};
    if (board === undefined || plan === undefined) return;
    for (const [leaf, done] of board.done.entries()) {
      if (done === 0) continue;
      const missing = shards.find((shard) => !shard.hasCovered(plan.epoch, plan.step, leaf));
      if (missing !== undefined)
        fail(`leaf ${leaf} of step ${plan.step} counts as done, shard ${missing.index} misses it`);
    }
  }

  function leavesOf(epoch: number, step: number): number {
    return reference.at(epoch, step + 1).mark.microBatches - reference.at(epoch, step).mark.microBatches;
  }

  /** |S1|² and ΣS2 of gradients whose noise grows as the run goes, with some of its own. */
  function normsOf(epoch: number, step: number): { squaredNorms1: number[]; sums2: number[] } {
    const { mark, weights } = reference.at(epoch, step);
    const kappa = leavesOf(epoch, step);
    const noise = 20 + (100 * mark.microBatches) / options.microBatchesTotal + (weights[0] % 40);
    return { squaredNorms1: [kappa ** 2 + kappa * noise], sums2: [kappa * (1 + noise)] };
  }

  function checkPlan(plan: StepPlan): void {
    const { epoch, step, microBatches, firstMicroBatch } = plan;
    const known = reference.kappaOf(step);
    if (known !== microBatches && known !== undefined) {
      if (step < frontier) fail(`step ${step} is planned with κ = ${microBatches}, and had ${known}`);
      world.count("a forgotten step at another κ");
    }
    if (typeof options.microBatchesPerStep !== "number") {
      const kappa = kappaFactOf(durableKappa, step)?.microBatches ?? 0;
      if (kappa !== microBatches) fail(`step ${step} is planned with κ = ${microBatches}, durable is ${kappa}`);
    }
    reference.plan(epoch, step, microBatches);
    const { mark } = reference.at(epoch, step);
    const expected = coefficients({ ...mark, firstMicroBatch: mark.microBatches, microBatches });
    if (firstMicroBatch !== mark.microBatches || JSON.stringify(plan.coefficients) !== JSON.stringify(expected)) {
      fail(`step ${step} is planned with other coefficients than the reference's`);
    }
  }

  /** One write after the other, each synced; what waits is lost with the coordinator. */
  function onDisk(done: () => void): void {
    const mine = incarnation;
    diskFreeAtMs = Math.max(diskFreeAtMs, queue.nowMs) + world.drawMs("disk", 1, 10);
    queue.after(diskFreeAtMs - queue.nowMs, () => {
      if (mine === incarnation && coordinator !== undefined) done();
    });
  }

  /** A committed step is recorded a little later, or when something depends on it. */
  function record(): void {
    metricsSteps = committedSteps;
  }

  function recordSoon(): void {
    if (committedSteps > metricsSteps + UNRECORDED_MAX) record();
    const mine = incarnation;
    queue.after(world.drawMs("record", 0, 50), () => {
      if (mine === incarnation && coordinator !== undefined) record();
    });
  }

  function checkLedger(shard: number, report: Extract<ShardReport, { kind: "committed" }>): void {
    const leaves = leavesOf(report.epoch, report.step);
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
    switch (effect.kind) {
      case "saveEpoch":
        if (effect.epoch <= durableEpoch) fail(`epoch ${effect.epoch} was used before`);
        onDisk(() => {
          durableEpoch = effect.epoch;
          toCoordinator({ kind: "epochSaved", epoch: effect.epoch });
        });
        return;
      case "saveKappa":
        onDisk(() => {
          durableKappa.push(...effect.facts);
          toCoordinator({ kind: "kappaSaved", facts: durableKappa.length });
        });
        return;
      case "kappaChanged":
        return world.count("κ changed");
      case "restore":
        if (effect.epoch > durableEpoch) fail(`epoch ${effect.epoch} is used before it is durable`);
        if (effect.epoch < lastEpoch) fail(`epoch ${effect.epoch} after ${lastEpoch}`);
        lastEpoch = effect.epoch;
        return shards[effect.shard].command({ kind: "restore", epoch: effect.epoch, step: effect.step });
      case "plan": {
        checkPlan(effect.plan);
        return shards[effect.shard].command({ kind: "plan", plan: effect.plan });
      }
      case "checkpoint":
        record();
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
        record();
        metricsSynced = Math.max(metricsSynced, effect.step);
        return world.count("checkpoint written");
      case "rolledBack":
        record();
        if (effect.mark.step > metricsSteps) {
          fail(`the run stands at step ${effect.mark.step}, the record ends at ${metricsSteps}`);
        }
        committedSteps = metricsSteps = metricsSynced = effect.mark.step;
        recomputed += effect.recomputed;
        return world.count("rolled back");
      case "committed":
        steps++;
        committedSteps = effect.commit.plan.step + 1;
        frontier = Math.max(frontier, committedSteps);
        recordSoon();
        return world.count("step committed");
      case "evaluation": {
        const { weights } = reference.at(lastEpoch, effect.step);
        record();
        if (effect.lossSum !== expectedEvaluation(weights)) fail(`the evaluation of version ${effect.step} is wrong`);
        return world.count("evaluation");
      }
      case "ended":
        record();
        outcome = effect.outcome;
        return world.count("ended");
      case "note":
        if (/ is applied in part /.test(effect.message)) world.count("a stranded step");
        return;
    }
  }

  function startCoordinator(): void {
    frontier = Math.max(metricsSteps, (durableKappa.at(-1)?.step ?? -1) + 1);
    coordinator = createCoordinatorCore({
      shards: options.shards,
      epoch: durableEpoch,
      microBatchesPerStep: options.microBatchesPerStep,
      microBatchesTotal: options.microBatchesTotal,
      microBatchSize: 1,
      kappaRecord: options.bug?.kappaRecord?.(durableKappa) ?? durableKappa,
      replay: false,
      stepsBefore: metricsSteps,
      checkpointEvery: 30,
      evaluateEvery: 42,
      evaluationBatches: EVALUATION_BATCHES,
      checkpointsKept: CHECKPOINTS_KEPT,
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
  }

  // ---- Faults ---------------------------------------------------------------------------------------------

  const pick = <T>(items: readonly T[]): T => items[random("faults").below(items.length)];
  const faults: Record<string, () => void> = {
    "worker killed": () => pick(workers).kill(world.drawMs("faults", 10, 3_000)),
    "worker gone for long": () => pick(workers).kill(world.drawMs("faults", 3_000, 15_000)),
    "worker paused": () => pick(workers).pause(world.drawMs("faults", 100, 20_000)),
    "worker's stream broken": () => pick(workers).breakCoordinatorStream(),
    "all workers killed in mid-step": () => {
      atPartlyApplied = () => {
        for (const worker of workers) worker.kill(world.drawMs("faults", 10, 3_000));
      };
    },
    "worker told to leave": () => pick(workers).leave(world.drawMs("faults", 200, 3_000)),
    "worker fails for good": () => pick(workers).failForGood(),
    "threads restarted": () => pick(workers).restartThreads(),
    "push broken": () => pick(workers).breakPushes(),
    "shard killed": () => pick(shards).kill(world.drawMs("faults", 10, 3_000)),
    "shard's stream broken": () => pick(shards).breakCoordinatorStream(),
    "checkpoint damaged": () => pick(shards).damageNewestCheckpoint(),
    "coordinator killed": () => {
      if (coordinator === undefined) return;
      coordinator = undefined;
      incarnation++;
      if (committedSteps > metricsSteps) world.count("committed steps that were never recorded");
      committedSteps = metricsSteps;
      for (const shard of shards) shard.coordinatorGone();
      for (const worker of workers) worker.coordinatorGone();
      queue.after(world.drawMs("faults", 10, 3_000), startCoordinator);
    },
    "everything killed": () => {
      faults["coordinator killed"]();
      // The power is cut: of the metrics nobody has synced, some are lost.
      committedSteps = metricsSteps = metricsSynced + random("faults").below(metricsSteps - metricsSynced + 1);
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
  for (const { atMs, worker } of options.workersLeave ?? []) {
    queue.after(atMs, () => workers[worker].leave(HEALED_MS));
  }
  if (options.faultsUntilMs > 0) queue.after(world.drawMs("faults", 0, options.faultEveryMs), nextFault);
  queue.run(options.faultsUntilMs + HEALED_MS, () => outcome !== undefined);

  if (outcome === undefined)
    fail(`no end ${HEALED_MS / 1000} s after the last fault, in phase ${coordinator?.state.phase}`);
  if (outcome?.ok === true) {
    const last = reference.at(lastEpoch, outcome.mark.step);
    if (last.mark.microBatches !== options.microBatchesTotal) fail(`ended at micro-batch ${last.mark.microBatches}`);
    for (const shard of shards) shard.checkFinal(last);
    for (let step = 0; step < last.mark.step; step++) kappas.push(reference.kappaOf(step)!);
  }
  return { outcome, counts, virtualMs: queue.nowMs, steps, recomputed, kappas, trace };
}

export const EVALUATION_BATCHES = 5;
export const CHECKPOINTS_KEPT = 2;

/** The loss sum of one evaluation batch at these weights. */
export function evaluationLoss(batch: number, weights: readonly number[]): number {
  return weights.reduce((sum, weight) => sum + (weight % 1000) * (batch + 1), 0);
}

function expectedEvaluation(weights: readonly number[]): number {
  let sum = 0;
  for (let batch = 0; batch < EVALUATION_BATCHES; batch++) sum += evaluationLoss(batch, weights);
  return sum;
}
