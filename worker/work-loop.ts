/**
 * Leases become sums and sums are pushed: one lease is computed at a time, with exactly the weights it names, while
 * the one before is pushed. That no more than two are under way is kept by the slots in the shared memories, which a
 * lease holds until its push has settled.
 *
 * Work that became void is dropped without a word: whoever gave it knows. Everything else is answered.
 */
import { IsobatchError } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import type { EvaluationLease__Output, MicroBatchLease__Output, WorkerReport } from "../shared/wire/index.js";
import { type ComputedLease, NonFiniteError, ThreadDeathError } from "./compute/index.js";
import type { Engine } from "./engine.js";
import { failureOf } from "./failure.js";
import { pushLease } from "./push.js";
import type { Samples } from "./samples.js";
import type { ShardLink } from "./shard-link.js";
import type { WeightsVersion } from "./weight-versions.js";
import { createWorkQueue, isVoid, type Work } from "./work-queue.js";

export interface WorkLoopOptions {
  readonly workerId: string;
  /** JoinResponse's. */
  readonly seal: Uint8Array;
  /** Micro-batches of the whole run. */
  readonly microBatchesTotal: number;
  readonly engine: Engine;
  readonly samples: Samples;
  readonly links: readonly ShardLink[];
  report(report: WorkerReport): void;
  /** The threads are new and hold no weights. */
  onThreadsRestarted(): void;
  onFailed(error: unknown): void;
  readonly log: Logger;
}

export interface WorkLoop {
  add(work: Work): void;
  /** θ has newer weights: what is computed with older ones is void. Nothing is begun until the threads have them. */
  supersede(weights: WeightsVersion): void;
  /** The threads have these weights. */
  hold(weights: WeightsVersion): void;
  /** Voids all work of older epochs, also what is being pushed. */
  openEpoch(epoch: number): void;
  /** Begins nothing more; resolves when nothing is computed or pushed. */
  drain(): Promise<void>;
  /** The same at once: what is under way is void. */
  close(): Promise<void>;
}

interface UnderWay {
  readonly work: Work;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export function createWorkLoop(options: WorkLoopOptions): WorkLoop {
  const { workerId, seal, engine, samples, links, report, log } = options;
  const queue = createWorkQueue();
  let newest: WeightsVersion = { epoch: 0, version: -1 };
  let held: WeightsVersion | undefined;
  let resting = false;
  let computing: UnderWay | undefined;
  const pushes = new Set<UnderWay>();
  let pushMs = 0;
  /** The reason that was last logged with a stack. */
  let stackShown: string | undefined;

  const begin = (): void => {
    if (resting || computing !== undefined || held === undefined) return;
    const work = queue.take(held);
    if (work === undefined) return;
    const stop = new AbortController();
    const done = perform(work, stop.signal)
      .catch(options.onFailed)
      .finally(() => {
        computing = undefined;
        begin();
      });
    computing = { work, stop, done };
  };

  const perform = async (work: Work, signal: AbortSignal): Promise<void> => {
    try {
      if (work.kind === "step") await computeStep(work, work.lease, signal);
      else await evaluate(work.lease, signal);
    } catch (error) {
      if (engine.broken !== undefined) throw engine.broken;
      if (error instanceof ThreadDeathError) {
        log.warn(fieldsOf(work), `${error.message} All threads were started anew.`);
        held = undefined;
        // Before that they are held again, which may be at once, and before the lease is given back.
        report({ weightsLost: {} });
        options.onThreadsRestarted();
      }
      if (!signal.aborted) reportFailure(work, error);
    }
  };

  const computeStep = async (work: Work, lease: MicroBatchLease__Output, signal: AbortSignal): Promise<void> => {
    const { microBatches, firstMicroBatch, lo, hi } = lease;
    const computed = await engine.compute(lease, samples.microBatch, { signal });
    if (signal.aborted) return engine.memory.releaseSlots(slotsOf(computed));
    const { computeMs, samplesMs } = computed;
    report({ leaseComputed: { lease: lease.lease, computeMs, samplesMs, pushMs } });
    log.debug({ lease: lease.lease, step: lease.step, lo, hi, computeMs, samplesMs }, "lease computed");
    push(work, lease, computed);
    const next = firstMicroBatch + microBatches;
    samples.prefetch("microBatch", next + lo, Math.min(next + hi, options.microBatchesTotal));
  };

  const push = (work: Work, lease: MicroBatchLease__Output, computed: ComputedLease): void => {
    const { memory } = engine;
    const stop = new AbortController();
    const startedAt = performance.now();
    const done = pushLease({ workerId, seal, lease, computed, memory }, links, stop.signal)
      .then(
        () => {
          pushMs = performance.now() - startedAt;
          log.debug({ lease: lease.lease, step: lease.step, pushMs }, "lease pushed");
        },
        (error: unknown) => {
          if (!stop.signal.aborted && !isVoid(work, newest)) reportFailure(work, error);
        },
      )
      .finally(() => {
        memory.releaseSlots(slotsOf(computed));
        pushes.delete(underWay);
      });
    const underWay = { work, stop, done };
    pushes.add(underWay);
  };

  const evaluate = async (lease: EvaluationLease__Output, signal: AbortSignal): Promise<void> => {
    const { epoch, version, firstBatch, endBatch } = lease;
    const { lossSums, correct } = await engine.evaluate(firstBatch, endBatch, samples.evaluationBatch, { signal });
    log.debug({ step: version, firstBatch, endBatch }, "batches evaluated");
    report({ evaluated: { epoch, version, firstBatch, lossSums: [...lossSums], correct: [...correct] } });
  };

  const reportFailure = (work: Work, error: unknown): void => {
    const { reason, transient } = failureOf(error);
    // Anything but these is a bug, here or in the model's code: its stack is wanted, once.
    const expected = [NonFiniteError, IsobatchError, ThreadDeathError].some((each) => error instanceof each);
    const shown = expected || reason === stackShown ? fieldsOf(work) : { ...fieldsOf(work), err: error };
    if (!expected) stackShown = reason;
    log.warn(shown, `${nameOf(work)} failed: ${reason}`);
    if (work.kind === "evaluation") {
      const { epoch, version, firstBatch } = work.lease;
      return report({ evaluated: { epoch, version, firstBatch, failed: reason, transient } });
    }
    const { lease, firstMicroBatch, lo } = work.lease;
    const nonFinite = error instanceof NonFiniteError;
    const microBatch = nonFinite ? error.microBatch : firstMicroBatch + lo;
    report({ leaseFailed: { lease, microBatch, reason, nonFinite, transient } });
  };

  /** There is something newer than before: in whichever way it is heard of first. */
  const advance = (weights: WeightsVersion): void => {
    const opened = weights.epoch > newest.epoch;
    newest = weights;
    if (computing !== undefined && isVoid(computing.work, newest)) computing.stop.abort();
    if (!opened) return;
    queue.openEpoch(newest.epoch);
    for (const { work, stop } of pushes) if (work.lease.epoch < newest.epoch) stop.abort();
  };

  const settled = async (): Promise<void> => {
    await computing?.done;
    await Promise.all([...pushes].map(({ done }) => done));
  };

  return {
    add(work) {
      if (resting || isVoid(work, newest)) return;
      const { lease, kind } = work;
      if (kind === "evaluation") samples.prefetch("evaluation", lease.firstBatch, lease.endBatch);
      else samples.prefetch("microBatch", lease.firstMicroBatch + lease.lo, lease.firstMicroBatch + lease.hi);
      queue.add(work);
      begin();
    },
    supersede(weights) {
      advance(weights);
      held = undefined;
    },
    hold(weights) {
      held = weights;
      begin();
    },
    openEpoch(epoch) {
      if (epoch > newest.epoch) advance({ epoch, version: -1 });
    },
    drain() {
      resting = true;
      queue.clear();
      return settled();
    },
    close() {
      resting = true;
      queue.clear();
      computing?.stop.abort();
      for (const { stop } of pushes) stop.abort();
      return settled();
    },
  };
}

function slotsOf({ nodes }: ComputedLease): number[] {
  return nodes.map(({ slot }) => slot);
}

/** What log lines about it are found by. */
function fieldsOf(work: Work): { readonly lease?: number; readonly step: number } {
  if (work.kind === "step") return { lease: work.lease.lease, step: work.lease.step };
  return { step: work.lease.version };
}

function nameOf(work: Work): string {
  if (work.kind === "step") return `lease ${work.lease.lease} of step ${work.lease.step}`;
  return `the evaluation of version ${work.lease.version}`;
}
