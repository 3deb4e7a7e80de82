import { leaseMac } from "../../shared/credentials/index.js";
import { failAt } from "../../shared/fail-point.js";
import type { Logger } from "../../shared/log.js";
import { leafWeights, stepCoefficients } from "../../shared/optimizer/index.js";
import { kappaWith } from "../../shared/steps/index.js";
import type { WorkerCommand } from "../../shared/wire/index.js";
import { microBatchesOf, type Task } from "../../tasks/index.js";
import type { KappaFile, LedgerLine, MetricsLine, RunDirectory, RunRecord } from "../observe/index.js";
import type { Samples } from "../samples/index.js";
import type { ShardTraffic } from "../shard/index.js";
import { type Advice, advise } from "./advice.js";
import {
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
  createCoordinatorCore,
  type Lease,
  type Outcome,
} from "./core/index.js";
import { createMembers, type Members } from "./members.js";
import { type Progress, readEarlier } from "./progress.js";
import { createRecorder, type WorkerTimes } from "./record.js";
import type { ShardLink } from "./shard-links.js";
import { createTally, type Tally } from "./tally.js";

/**
 * The coordinator's shell: it feeds the core with what happens and the monotonic time, and performs what the core
 * decides. Events that arise while effects are performed wait their turn, so the core is never entered twice.
 */
export interface Coordinator {
  readonly members: Members;
  readonly state: Readonly<CoordinatorState>;
  readonly progress: Readonly<Progress>;
  /** How many workers pay, from the noise scale and the workers' speed. */
  advice(): Advice;
  dispatch(event: CoordinatorEvent): void;
  /** A shard can be reached from now on. */
  attachShard(shard: number, link: ShardLink, checkpoints: readonly number[]): void;
  detachShard(shard: number, link: ShardLink, reason: string): void;
  readonly shards: readonly (ShardLink | undefined)[];
  /** Where each shard was reached last. */
  readonly shardAddresses: readonly (string | undefined)[];
  /** For metrics: what has gone through each shard, as far as it has said. */
  readonly shardTraffic: (ShardTraffic | undefined)[];
  /** For metrics. */
  readonly tally: Tally;
  /** For metrics: what a worker said of its lease beside the core's business. */
  leaseTimes(times: WorkerTimes): void;
  /** The run can't go on, and ends with this error. */
  fail(error: unknown): void;
  /** The run has failed for this reason, a sentence, which status shows from now on. */
  showFailure(reason: string): void;
  /** Resolves when the run has come to an end, well or not; rejects when it failed. */
  readonly ended: Promise<Outcome>;
  /** Stops the clock; nothing is decided any more. */
  close(): void;
}

export interface CoordinatorOptions {
  readonly task: Task;
  readonly shards: number;
  readonly directory: RunDirectory;
  readonly kappa: KappaFile;
  readonly metrics: RunRecord<MetricsLine>;
  readonly ledger: RunRecord<LedgerLine>;
  readonly samples: Samples;
  readonly testSamples: number;
  readonly classified: boolean;
  readonly leaseKey: Uint8Array;
  readonly workersAwaited: number;
  readonly awaitMs: number;
  readonly log: Logger;
}

const TICK_MS = 250;
/** A step's time beside computing is the median of so many. */
const OVERHEAD_STEPS = 31;
/** Speed is measured over so many of the last steps' time. */
const SPEED_WINDOW_MS = 5_000;

export function createCoordinator(options: CoordinatorOptions): Coordinator {
  const { task, directory, metrics, ledger, samples, log } = options;
  const b = task.microBatchSize;
  const earlier = readEarlier(directory.folder);
  const core = createCoordinatorCore({
    shards: options.shards,
    epoch: directory.identity.epoch,
    microBatchesPerStep: task.microBatchesPerStep,
    microBatchSize: b,
    kappaRecord: options.kappa.facts,
    replay: options.kappa.replay,
    stepsBefore: earlier.steps ?? 0,
    microBatchesTotal: microBatchesOf(task),
    checkpointEvery: Math.max(1, Math.ceil(task.checkpointEverySamples / b)),
    evaluateEvery: Math.max(1, Math.ceil(task.evaluateEverySamples / b)),
    evaluationBatches: samples.evaluationBatches,
    checkpointsKept: task.checkpointsKept,
    workersAwaited: options.workersAwaited,
    awaitMs: options.awaitMs,
    coefficients: (step) =>
      stepCoefficients({
        ...step,
        optimizer: task.optimizer,
        hyperparameters: task,
        schedule: task.schedule,
        microBatchSize: b,
      }),
    leafWeights: (microBatches) => leafWeights(task.optimizer, task, microBatches),
  });
  const members = createMembers();
  const recorder = createRecorder(task, options.testSamples, options.classified);
  const links: (ShardLink | undefined)[] = new Array(options.shards).fill(undefined);
  const addresses: (string | undefined)[] = [...links.keys()].map(() => undefined);
  const progress: Progress = {
    lastStep: undefined,
    lastEvaluation: undefined,
    samplesPerSecond: 0,
    samplesOfSitting: 0,
    checkpointStep: -1,
    checkpointAtMs: Number.NaN,
    recomputedSteps: earlier.recomputed,
    get workersAdvised() {
      return advice().workers;
    },
    furthestStep: -1,
    failure: "",
  };
  // A step that an earlier process committed after the newest checkpoint will be computed again.
  let stepsBefore = earlier.steps;
  let times: WorkerTimes = { samples: 0, push: 0 };
  let overheadsMs: number[] = [];
  let speedWindow: { atMs: number; samples: number }[] = [];
  let resolveEnded: (outcome: Outcome) => void;
  let failEnded: (error: unknown) => void;
  const ended = new Promise<Outcome>((resolve, reject) => {
    resolveEnded = resolve;
    failEnded = reject;
  });
  // Whoever started the coordinator awaits it; until then a failure is no unhandled rejection.
  ended.catch(() => {});

  const tally = createTally();
  const queue: CoordinatorEvent[] = [];
  let busy = false;
  let broken = false;
  function dispatch(event: CoordinatorEvent): void {
    if (broken) return;
    queue.push(event);
    if (busy) return;
    busy = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        tally.event(next);
        for (const effect of core.handle(next, performance.now())) {
          tally.effect(effect);
          perform(effect);
        }
      }
    } catch (error) {
      // An effect that was not performed, on a full disk for one, leaves the core ahead of the world: the run is
      // over, and stands where its checkpoints say.
      fail(error);
    } finally {
      busy = false;
    }
  }

  function fail(error: unknown): void {
    broken = true;
    stopTicking();
    failEnded(error);
  }

  function send(worker: string, command: WorkerCommand): void {
    // A write fails only when the stream has ended, and then the reading side says so too.
    members
      .get(worker)
      ?.writer?.write(command)
      .catch(() => {});
  }

  function perform(effect: CoordinatorEffect): void {
    switch (effect.kind) {
      case "saveEpoch":
        directory.saveEpoch(effect.epoch);
        return dispatch({ kind: "epochSaved", epoch: effect.epoch });
      case "saveKappa":
        options.kappa.append(effect.facts);
        return dispatch({ kind: "kappaSaved", facts: options.kappa.facts.length });
      case "kappaChanged":
        return kappaChanged(effect);
      case "restore":
      case "plan":
      case "checkpoint":
      case "keep":
        return links[effect.shard]?.perform(effect);
      case "epochOpened":
        return send(effect.worker, { epoch: { epoch: effect.epoch, version: effect.version } });
      case "lease":
        failAt("coordinator.lease");
        logLease(effect.lease, effect.plan);
        return send(effect.lease.worker, { lease: leaseMessage(effect.lease, effect.plan) });
      case "evaluate": {
        const { lease, epoch, version } = effect;
        return send(lease.worker, { evaluation: { epoch, version, firstBatch: lease.lo, endBatch: lease.hi } });
      }
      case "drain":
        return send(effect.worker, { drain: { reason: effect.reason } });
      case "rolledBack":
        return rolledBack(effect);
      case "committed":
        return committed(effect.commit);
      case "evaluation": {
        const line = recorder.evaluation(effect);
        progress.lastEvaluation = line;
        metrics.append(line);
        return;
      }
      case "checkpointWritten":
        // What the record tells of these steps must not be lost by a crash that the weights survive.
        metrics.sync();
        ledger.sync();
        progress.checkpointStep = effect.step;
        progress.checkpointAtMs = performance.now();
        return event("checkpoint", { step: effect.step });
      case "note":
        log[effect.level]({ epoch: core.state.epoch, step: core.state.mark.step }, effect.message);
        return event("note", { message: effect.message });
      case "ended":
        stopTicking();
        return resolveEnded(effect.outcome);
    }
  }

  function event(name: string, details: Record<string, unknown>): void {
    metrics.append({ type: "event", event: name, at: new Date().toISOString(), ...details });
  }

  function logLease({ worker, lease, lo, hi }: Lease, { epoch, step }: { epoch: number; step: number }): void {
    if (log.isLevelEnabled("debug")) log.debug({ worker, lease, epoch, step, lo, hi }, "lease given");
  }

  function kappaChanged({ fact, before, coefficients }: Extract<CoordinatorEffect, { kind: "kappaChanged" }>): void {
    const { step, firstMicroBatch, microBatches: kappa, reason } = fact;
    const { learningRate, gamma1, gamma2 } = coefficients;
    const from = before ?? null;
    event("kappa", { step, samples: firstMicroBatch * b, from, kappa, reason, learningRate, gamma1, gamma2 });
    log.info({ step, from, kappa, reason }, "micro-batches per step");
  }

  function leaseMessage(lease: Lease, plan: Extract<CoordinatorEffect, { kind: "lease" }>["plan"]) {
    const { lo, hi, lease: number, worker } = lease;
    const { epoch, step } = plan;
    const claims = { runId: directory.identity.runId, workerId: worker, lease: number, epoch, step, lo, hi };
    return {
      ...claims,
      firstMicroBatch: plan.firstMicroBatch,
      microBatches: plan.microBatches,
      leafWeights1: [...(plan.leafWeights1?.subarray(lo, hi) ?? [])],
      leafWeights2: [...(plan.leafWeights2?.subarray(lo, hi) ?? [])],
      mac: leaseMac(options.leaseKey, claims),
    };
  }

  function rolledBack({ epoch, mark, recomputed }: Extract<CoordinatorEffect, { kind: "rolledBack" }>): void {
    const lost = stepsBefore === undefined ? recomputed : Math.max(0, stepsBefore - mark.step);
    stepsBefore = undefined;
    progress.recomputedSteps += lost;
    metrics.cutBack(mark.step);
    ledger.cutBack(mark.step);
    speedWindow = [];
    progress.checkpointStep = mark.step;
    progress.checkpointAtMs = performance.now();
    event("restored", { epoch, step: mark.step, recomputedSteps: lost });
    log.info({ epoch, step: mark.step, recomputedSteps: lost }, "the run stands at a checkpoint");
  }

  function committed(commit: Extract<CoordinatorEffect, { kind: "committed" }>["commit"]): void {
    failAt("coordinator.commit");
    const line = recorder.step(commit, times);
    times = { samples: 0, push: 0 };
    metrics.append(line);
    log.debug({ epoch: commit.epoch, step: line.step, loss: line.loss }, "step committed");
    for (const entry of recorder.ledger(commit)) ledger.append(entry);
    for (const { lo, hi, worker } of commit.scalars[0].ledger[0]?.ranges ?? []) {
      const member = members.get(worker);
      if (member !== undefined) member.microBatches += hi - lo;
    }
    progress.lastStep = line;
    progress.furthestStep = Math.max(progress.furthestStep, line.step + 1);
    overheadsMs = [...overheadsMs, Math.max(0, commit.ms.step - commit.ms.compute)].slice(-OVERHEAD_STEPS);
    const done = commit.plan.microBatches * b;
    progress.samplesOfSitting += done;
    const nowMs = performance.now();
    speedWindow.push({ atMs: nowMs, samples: done });
    while (speedWindow.length > 2 && nowMs - speedWindow[0].atMs > SPEED_WINDOW_MS) speedWindow.shift();
    const spanMs = nowMs - speedWindow[0].atMs;
    const samplesInSpan = speedWindow.slice(1).reduce((sum, entry) => sum + entry.samples, 0);
    progress.samplesPerSecond = spanMs > 0 ? (1000 * samplesInSpan) / spanMs : 0;
  }

  function advice(): Advice {
    const attached = members.attached();
    const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
    const threadMs = attached.flatMap(({ id, computeThreads }) => {
      const itemMs = core.state.workers.get(id)?.itemMs.step;
      return itemMs === undefined ? [] : [itemMs * Math.max(1, computeThreads)];
    });
    const inputs = {
      microBatchSize: b,
      microBatchesAt: (workers: number) => kappaWith(task.microBatchesPerStep, workers, core.state.microBatches),
      noiseScale: progress.lastStep?.noiseScale?.scale ?? undefined,
      computeThreads: attached.length === 0 ? 1 : mean(attached.map(({ computeThreads }) => computeThreads)),
      threadMs: threadMs.length === 0 ? undefined : mean(threadMs),
      overheadMs: [...overheadsMs].sort((a, b) => a - b)[overheadsMs.length >> 1] ?? 0,
    };
    return advise(inputs, attached.length);
  }

  // Once everything that has come is read: if this process stood still for a while, no worker was silent meanwhile.
  let nextTick: NodeJS.Immediate | undefined;
  const ticking = setInterval(() => {
    nextTick = setImmediate(() => dispatch({ kind: "tick" }));
  }, TICK_MS);
  function stopTicking(): void {
    clearInterval(ticking);
    clearImmediate(nextTick);
  }

  return {
    members,
    state: core.state,
    progress,
    advice,
    dispatch,
    shards: links,
    shardAddresses: addresses,
    shardTraffic: links.map(() => undefined),
    tally,
    attachShard(shard, link, checkpoints) {
      links[shard] = link;
      addresses[shard] = link.address;
      dispatch({ kind: "shardAttached", shard, checkpoints });
    },
    detachShard(shard, link, reason) {
      // The stream of a shard that has come back already may end late.
      if (links[shard] !== link) return;
      links[shard] = undefined;
      dispatch({ kind: "shardLost", shard, reason });
    },
    leaseTimes({ samples: samplesMs, push: pushMs }) {
      times.samples = Math.max(times.samples, samplesMs);
      times.push = Math.max(times.push, pushMs);
    },
    fail,
    showFailure(reason) {
      progress.failure = reason;
    },
    ended,
    close: stopTicking,
  };
}
