import {
  type CoordinatorCore,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
  createCoordinatorCore,
  type RunOutcome,
} from "../../server/coordinator/core/index.js";
import type { ShardReport } from "../../server/shard/core/index.js";
import { createCoreHost } from "../../shared/core-host.js";
import type { KappaFact } from "../../shared/steps/index.js";
import { checkLedger, checkPlan } from "./checks.js";
import { coefficientsOf, EVALUATION_BATCHES, expectedEvaluation, normsOf } from "./formulas.js";
import { createSimulatedRecord, type SimulatedRecord } from "./simulated-record.js";
import { CHECKPOINTS_KEPT, type World } from "./world.js";

/** The coordinator's process: the real core in a shell of simulated disk and clock. */
export interface SimulatedCoordinator {
  /** Its process starts, for the first time or again. */
  start(): void;
  kill(): void;
  /** Some of what was written and not synced is lost. @param draw a number from 0 to below n */
  cutPower(draw: (n: number) => number): void;
  dispatch(event: CoordinatorEvent): void;
  shardReport(shard: number, report: ShardReport): void;
  readonly up: boolean;
  /** The core's state, while the process is up. */
  readonly state: Readonly<CoordinatorState> | undefined;
  readonly outcome: RunOutcome | undefined;
  readonly lastTerm: number;
  readonly steps: number;
  readonly recomputed: number;
}

/** What all processes of the coordinator share: the disk, and what the world has seen of them. */
interface History {
  readonly record: SimulatedRecord;
  readonly durableKappa: KappaFact[];
  durableTerm: number;
  diskFreeAtMs: number;
  /** Steps before this one are known to the planning coordinator: they keep their κ. */
  frontier: number;
  lastTerm: number;
  outcome: RunOutcome | undefined;
  steps: number;
  recomputed: number;
}

const TICK_MS = 500;

export function createSimulatedCoordinator(world: World): SimulatedCoordinator {
  const { queue, reference, options } = world;
  const history: History = {
    record: createSimulatedRecord(world),
    durableKappa: [],
    ...{ durableTerm: 0, diskFreeAtMs: 0, frontier: 0, lastTerm: 0, outcome: undefined, steps: 0, recomputed: 0 },
  };
  let process: Process | undefined;

  function dispatch(event: CoordinatorEvent): void {
    if (process === undefined) return;
    world.count(`event ${event.kind}`);
    world.trace(`coordinator ${JSON.stringify(event)}`);
    process.dispatch(event);
  }

  return {
    start() {
      process = startProcess(world, history, dispatch);
      const mine = process;
      const tick = (): void => {
        if (mine !== process || history.outcome !== undefined) return;
        dispatch({ kind: "tick" });
        queue.after(TICK_MS, tick);
      };
      tick();
      for (const shard of world.shards) shard.reattach();
    },
    kill() {
      process?.end();
      process = undefined;
      history.record.forget();
    },
    cutPower: history.record.cutPower,
    dispatch,
    shardReport(shard, report) {
      switch (report.kind) {
        case "restored":
          return dispatch({ kind: "restored", shard, term: report.term, mark: report.mark });
        case "committed": {
          checkLedger(world, shard, report);
          const { ledger, losses, term, step } = report;
          const norms =
            shard === 0 ? normsOf(reference, options.microBatchesTotal, term, step) : { squaredNorms1: [], sums2: [] };
          const scalars = { ledger, losses, ...norms, mergeMs: 0, applyMs: 0, bytesReceived: 0 };
          return dispatch({ kind: "committed", shard, term, step, scalars });
        }
        default:
          return dispatch({ ...report, shard });
      }
    },
    get up() {
      return process !== undefined;
    },
    get state() {
      return process?.state;
    },
    get outcome() {
      return history.outcome;
    },
    get lastTerm() {
      return history.lastTerm;
    },
    get steps() {
      return history.steps;
    },
    get recomputed() {
      return history.recomputed;
    },
  };
}

interface Process {
  readonly state: CoordinatorCore["state"];
  dispatch(event: CoordinatorEvent): void;
  /** What the process waits for never comes. */
  end(): void;
}

function startProcess(world: World, history: History, dispatch: (event: CoordinatorEvent) => void): Process {
  const { options, queue } = world;
  const { durableKappa, record } = history;
  let alive = true;
  history.frontier = Math.max(record.steps, (durableKappa.at(-1)?.step ?? -1) + 1);
  const core = createCoordinatorCore({
    shards: options.shards,
    term: history.durableTerm,
    microBatchesPerStep: options.microBatchesPerStep,
    microBatchesTotal: options.microBatchesTotal,
    microBatchSize: 1,
    kappaRecord: options.bug?.kappaRecord?.(durableKappa) ?? durableKappa,
    replay: false,
    stepsBefore: record.steps,
    checkpointEvery: 30,
    evaluateEvery: 42,
    evaluationBatches: EVALUATION_BATCHES,
    checkpointsKept: CHECKPOINTS_KEPT,
    workersAwaited: options.workers,
    awaitMs: 1_000,
    coefficients: coefficientsOf,
  });

  /** One write at a time, each synced; those that wait are lost with the process. */
  function onDisk(done: () => void): void {
    history.diskFreeAtMs = Math.max(history.diskFreeAtMs, queue.nowMs) + world.drawMs("disk", 1, 10);
    queue.after(history.diskFreeAtMs - queue.nowMs, () => {
      if (alive) done();
    });
  }

  const host = createCoreHost<CoordinatorEvent, CoordinatorEffect>({
    handle: (event) =>
      core.handle(event, queue.nowMs).flatMap((effect) => options.bug?.coordinatorEffect?.(effect) ?? [effect]),
    perform: (effect) => perform(world, history, effect, onDisk, dispatch),
    onFailed() {},
  });

  return {
    state: core.state,
    dispatch(event) {
      for (const each of options.bug?.coordinatorEvent?.(event) ?? [event]) {
        host.dispatch(each);
        if (host.failure !== undefined) throw host.failure.error;
      }
    },
    end() {
      alive = false;
    },
  };
}

function perform(
  world: World,
  history: History,
  effect: CoordinatorEffect,
  onDisk: (done: () => void) => void,
  dispatch: (event: CoordinatorEvent) => void,
): void {
  const { shards, workers, reference, fail, count } = world;
  const { record } = history;
  switch (effect.kind) {
    case "saveTerm":
      if (effect.term <= history.durableTerm) fail("countedOnce", `term ${effect.term} was used before`);
      return onDisk(() => {
        history.durableTerm = effect.term;
        dispatch({ kind: "termSaved", term: effect.term });
      });
    case "saveKappa":
      return onDisk(() => {
        history.durableKappa.push(...effect.facts);
        dispatch({ kind: "kappaSaved", facts: history.durableKappa.length });
      });
    case "kappaChanged":
      return count("κ changed");
    case "restore":
      if (effect.term > history.durableTerm) fail("countedOnce", `term ${effect.term} is used before it is durable`);
      if (effect.term < history.lastTerm) fail("countedOnce", `term ${effect.term} after ${history.lastTerm}`);
      history.lastTerm = effect.term;
      return shards[effect.shard].command({ kind: "restore", term: effect.term, step: effect.step });
    case "plan":
      checkPlan(world, effect.plan, history.frontier, history.durableKappa);
      return shards[effect.shard].command({ kind: "plan", plan: effect.plan });
    case "checkpoint":
      record.catchUp();
      return shards[effect.shard].command({ kind: "checkpoint", term: effect.term, mark: effect.mark });
    case "keep":
      return shards[effect.shard].keep(effect.steps);
    case "termOpened":
    case "lease":
    case "evaluate":
    case "drain": {
      const name = effect.kind === "lease" || effect.kind === "evaluate" ? effect.lease.worker : effect.worker;
      return workers.find((worker) => worker.name === name)?.command(effect);
    }
    case "checkpointWritten": {
      const missing = shards.find((shard) => !shard.isDurable(effect.step));
      if (missing !== undefined)
        fail("checkpointSurvives", `checkpoint ${effect.step} is reported, shard ${missing.index} has not synced it`);
      record.sync(effect.step);
      return count("checkpoint written");
    }
    case "rolledBack":
      record.catchUp();
      if (effect.mark.step > record.steps) {
        fail("countedOnce", `the run is at step ${effect.mark.step}, its record ends at ${record.steps}`);
      }
      record.cutBack(effect.mark.step);
      history.recomputed += effect.recomputed;
      return count("rolled back");
    case "committed":
      history.steps++;
      history.frontier = Math.max(history.frontier, effect.commit.plan.step + 1);
      record.committed(effect.commit.plan.step);
      return count("step committed");
    case "evaluation": {
      record.catchUp();
      const { weights } = reference.at(history.lastTerm, effect.step);
      if (effect.lossSum !== expectedEvaluation(weights))
        fail("wholeSteps", `the evaluation of version ${effect.step} is wrong`);
      return count("evaluation");
    }
    case "ended":
      record.catchUp();
      history.outcome = effect.outcome;
      return count("ended");
    case "note":
      if (/ is applied in part /.test(effect.message)) count("a stranded step");
  }
}
