import { createCoreHost } from "../../shared/core-host.js";
import { messageOf } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import { began } from "../../shared/trace/index.js";
import type { Task } from "../../tasks/index.js";
import type { KappaFile, LedgerLine, MetricsLine, RunDirectory, RunRecord } from "../record/index.js";
import type { SampleReader } from "../samples/index.js";
import type { ShardTraffic } from "../shard/index.js";
import { type Advice, adviceInputs, advise, createSteadyAdvice, workersAdvised } from "./advice.js";
import { createAttendance } from "./attendance.js";
import { type Bookkeeping, createBookkeeping } from "./bookkeeping.js";
import { startClock } from "./clock.js";
import {
  type CoordinatorCore,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
  createCoordinatorCore,
  type RunOutcome,
} from "./core/index.js";
import { coreOptions } from "./core-options.js";
import { traceEffect } from "./effect-spans.js";
import { createEffects } from "./effects.js";
import { createMembers, type Members } from "./members.js";
import { type Earlier, type Progress, readEarlier } from "./progress.js";
import { createRecorder } from "./record.js";
import type { ShardPeer } from "./shard-links.js";
import { createTally, type Tally } from "./tally.js";

/** The coordinator's shell: it feeds the core with what happens and the monotonic time, and performs what it decides. */
export interface Coordinator {
  readonly members: Members;
  readonly state: Readonly<CoordinatorState>;
  readonly progress: Readonly<Progress>;
  /** How many workers are worth having, from the noise scale and the workers' speed. */
  advice(): Advice;
  dispatch(event: CoordinatorEvent): void;
  /** The shard is reachable from now on. */
  attachShard(shard: number, link: ShardPeer, checkpoints: readonly number[]): void;
  detachShard(shard: number, link: ShardPeer, reason: string): void;
  readonly shards: readonly (ShardPeer | undefined)[];
  /** The address at which each shard was last reached. */
  readonly shardAddresses: readonly (string | undefined)[];
  /** For metrics: each shard's traffic, as last reported. */
  readonly shardTraffic: (ShardTraffic | undefined)[];
  /** For metrics. */
  readonly tally: Tally;
  /** For metrics: the time that a worker reported it waited for samples. */
  waitedForSamples(ms: number): void;
  /** The run cannot continue and ends with this error. */
  fail(error: unknown): void;
  /** The run has failed; status shows this reason, a sentence, from now on. */
  showFailure(reason: string): void;
  /** Resolves with the run's outcome when the run ends; rejects on an error outside the core. */
  readonly ended: Promise<RunOutcome>;
  /** Stops the clock and records what is not recorded yet. Nothing is decided after this. */
  close(): void;
}

export interface CoordinatorOptions {
  readonly task: Task;
  readonly shards: number;
  readonly directory: RunDirectory;
  readonly kappa: KappaFile;
  readonly metrics: RunRecord<MetricsLine>;
  readonly ledger: RunRecord<LedgerLine>;
  readonly samples: SampleReader;
  readonly testSamples: number;
  readonly classified: boolean;
  readonly leaseKey: Uint8Array;
  readonly workersAwaited: number;
  readonly awaitMs: number;
  readonly log: Logger;
}

export function createCoordinator(options: CoordinatorOptions): Coordinator {
  const { task, directory, kappa, leaseKey, log } = options;
  const earlier = readEarlier(directory.folder);
  const core = createCore(options, earlier);
  const { state } = core;
  const members = createMembers();
  const bookkeeping = createBooks(options, earlier, members, (error) => host.fail(error));
  const { progress, speed } = bookkeeping;
  const tally = createTally();
  const steadyAdvice = createSteadyAdvice();
  const end = createEnd();
  const attendance = createAttendance({ members, state, progress, record: bookkeeping.record });

  const dispatch = (event: CoordinatorEvent): void => host.dispatch(event);
  const shards = createShardTable(options.shards, dispatch);
  const stopClock = startClock(() => dispatch({ kind: "tick" }));
  const perform = createEffects({
    directory,
    kappa,
    leaseKey,
    state,
    members,
    links: shards.links,
    bookkeeping,
    log,
    dispatch,
    ended(outcome) {
      stopClock();
      end.resolve(outcome);
    },
  });
  const host = createCoreHost<CoordinatorEvent, CoordinatorEffect>({
    handle(event) {
      tally.event(event);
      attendance.event(event);
      return core.handle(event, performance.now());
    },
    perform(effect) {
      tally.effect(effect);
      const begun = began();
      perform(effect);
      traceEffect(effect, begun);
    },
    // The run is over; its state is that of its checkpoints.
    onFailed(error) {
      stop();
      end.reject(error);
    },
  });

  function stop(): void {
    attendance.close();
    stopClock();
    try {
      bookkeeping.catchUp();
    } catch (error) {
      // The steps are computed again when the run is resumed.
      log.warn(`The last steps are not in the record. ${messageOf(error)}`);
    }
  }

  return {
    members,
    state,
    progress,
    advice() {
      const attached = members.attached();
      const noiseScale = progress.lastStep?.noiseScale?.scale ?? undefined;
      const inputs = adviceInputs(task, attached, state, noiseScale, speed.overheadMs);
      return advise(inputs, attached.length, steadyAdvice.next(workersAdvised(inputs), performance.now()));
    },
    dispatch,
    shards: shards.links,
    shardAddresses: shards.addresses,
    shardTraffic: shards.links.map(() => undefined),
    tally,
    attachShard: shards.attach,
    detachShard: shards.detach,
    waitedForSamples: bookkeeping.waitedForSamples,
    fail: host.fail,
    showFailure(reason) {
      progress.failure = reason;
    },
    ended: end.reached,
    close: stop,
  };
}

function createCore(options: CoordinatorOptions, { steps: stepsBefore = 0 }: Earlier): CoordinatorCore {
  const { task, directory, samples, shards, kappa, workersAwaited, awaitMs } = options;
  const { term } = directory.identity;
  const { evaluationBatches } = samples;
  const facts = { shards, kappa, workersAwaited, awaitMs, term, stepsBefore, evaluationBatches };
  return createCoordinatorCore(coreOptions(task, facts));
}

function createBooks(
  { task, metrics, ledger, log, testSamples, classified }: CoordinatorOptions,
  earlier: Earlier,
  members: Members,
  onFailed: (error: unknown) => void,
): Bookkeeping {
  const recorder = createRecorder(task, testSamples, classified);
  const { microBatchSize } = task;
  return createBookkeeping({ microBatchSize, recorder, metrics, ledger, members, earlier, log, onFailed });
}

/** The links to the shards that are attached, and the address at which each was last reached. */
function createShardTable(count: number, dispatch: (event: CoordinatorEvent) => void) {
  const links: (ShardPeer | undefined)[] = new Array(count).fill(undefined);
  const addresses: (string | undefined)[] = new Array(count).fill(undefined);
  return {
    links,
    addresses,
    attach(shard: number, link: ShardPeer, checkpoints: readonly number[]): void {
      links[shard] = link;
      addresses[shard] = link.address;
      dispatch({ kind: "shardAttached", shard, checkpoints });
    },
    detach(shard: number, link: ShardPeer, reason: string): void {
      // The old stream of a shard that has already reconnected may end late.
      if (links[shard] !== link) return;
      links[shard] = undefined;
      dispatch({ kind: "shardLost", shard, reason });
    },
  };
}

/** The end of the run, which is settled once. */
function createEnd() {
  let resolve: (outcome: RunOutcome) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const reached = new Promise<RunOutcome>((...settle) => {
    [resolve, reject] = settle;
  });
  // Any caller that starts the coordinator awaits it; until then a failure must not be an unhandled rejection.
  reached.catch(() => {});
  return { reached, resolve, reject };
}
