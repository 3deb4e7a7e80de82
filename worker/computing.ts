/** Computing, as the core requests it: makes requests to the threads, and reports their results. */

import { type ComputedLease, NonFiniteError, ThreadDeathError, TooLargeError } from "../compute/index.js";
import { IsobatchError } from "../shared/errors.js";
import type { WireFormat } from "../shared/layout/index.js";
import type { Interval } from "../shared/sums/index.js";
import { began, span } from "../shared/trace/index.js";
import type { EvaluationLease, StepLease, StepWork, Work, WorkerEvent } from "./core/index.js";
import type { Engine } from "./engine.js";
import { failureOf } from "./failure.js";
import type { Near } from "./near/index.js";
import { createNextShare } from "./next-share.js";
import type { Samples } from "./samples.js";

export interface ComputingOptions {
  readonly engine: Pick<Engine, "load" | "prepare" | "compute" | "evaluate" | "broken">;
  readonly samples: Pick<Samples, "microBatch" | "evaluationBatch">;
  readonly near: Pick<Near, "fetch" | "mapped">;
  /** The task's wire format. */
  readonly wire: WireFormat;
  /** The micro-batches of the whole run. */
  readonly microBatchesTotal: number;
  /** Where a computed lease is kept, by the id of its work, to be pushed. */
  readonly results: Map<number, ComputedLease>;
  dispatch(event: WorkerEvent): void;
}

export interface Computing {
  /** @param sequences the sequences of the shards that write into θ themselves */
  load(sequences: ReadonlyMap<number, number>): void;
  prepare(work: StepWork): void;
  compute(work: Work): void;
  /** Gives the work up between two micro-batches. */
  abandon(work: number): void;
  /** Gives up all work; resolves when nothing is computed or loaded any more. */
  close(): Promise<void>;
}

/**
 * Whether a lease's leaves are pushed one by one instead of as their sums. In bfloat16 up to three gradients of two
 * bytes per parameter are less than the eight bytes of S1 and S2. A shard that reads them in place adds them up in its
 * cache as part of the update, so that the sums of a few leaves are never written to memory; for more leaves it would
 * read more than S1 and S2.
 */
function staysApart({ lo, hi }: Interval, wire: WireFormat, mapped: boolean): boolean {
  return (mapped || wire === "bfloat16") && hi - lo <= APART_MAX;
}

const APART_MAX = 3;

export function createComputing(options: ComputingOptions): Computing {
  const { engine, samples, near, wire, microBatchesTotal, results, dispatch } = options;
  const underWay = new Set<Promise<void>>();
  const stops = new Map<number, AbortController>();
  const nextShare = createNextShare(microBatchesTotal);
  let closed = false;
  /** The reason that was last logged with a stack. */
  let stackShown: string | undefined;

  const follow = (promise: Promise<void>): void => {
    const followed = promise.finally(() => underWay.delete(followed));
    underWay.add(followed);
  };

  const load = async (sequences: ReadonlyMap<number, number>): Promise<void> => {
    const loaded = async (): Promise<WorkerEvent> => {
      const begun = began();
      const moved = near.fetch(sequences);
      span("fetched", begun, sequences.size);
      if (moved().length === 0) await engine.load();
      return { kind: "loaded", moved: moved() };
    };
    const event = await loaded().catch(
      (error: unknown): WorkerEvent =>
        error instanceof ThreadDeathError
          ? { kind: "loadFailed", reason: error.message }
          : { kind: "failed", error, reported: failureOf(error) },
    );
    dispatch(event);
  };

  const step = async (work: number, lease: StepLease, signal: AbortSignal): Promise<WorkerEvent> => {
    const apart = staysApart(lease, wire, near.mapped);
    const computed = await engine.compute({ ...lease, apart }, samples.microBatch, { signal });
    results.set(work, computed);
    const { nodes, computeMs, samplesMs } = computed;
    return { kind: "computed", work, slots: nodes.map(({ slot }) => slot), computeMs, samplesMs };
  };

  /** Has the first samples of the next lease decoded while its weights arrive, unless other work starts at once. */
  const prepareNext = (lease: StepLease): void => {
    const next = nextShare(lease);
    if (next === undefined) return;
    setImmediate(() => {
      if (stops.size === 0 && !closed) engine.prepare(next, samples.microBatch);
    });
  };

  const evaluation = async (work: number, lease: EvaluationLease, signal: AbortSignal): Promise<WorkerEvent> => {
    const { firstBatch, endBatch } = lease;
    const { lossSums, correct } = await engine.evaluate(firstBatch, endBatch, samples.evaluationBatch, { signal });
    return { kind: "evaluated", work, lossSums: [...lossSums], correct: [...correct] };
  };

  const failed = (work: number, error: unknown): WorkerEvent => {
    if (engine.broken !== undefined)
      return { kind: "failed", error: engine.broken, reported: failureOf(engine.broken) };
    const failure = failureOf(error);
    // The worker's next work would be just as large.
    if (error instanceof TooLargeError) return { kind: "failed", error, reported: failure };
    // Computed in another way, the gradient would have different bits from other workers'.
    if (error instanceof IsobatchError && error.code === "failed") return { kind: "failed", error, reported: failure };
    // Anything else is a bug, here or in the model's code: its stack is logged, once.
    const expected = [NonFiniteError, IsobatchError, ThreadDeathError].some((each) => error instanceof each);
    const cause = expected || failure.reason === stackShown ? undefined : error;
    if (cause !== undefined) stackShown = failure.reason;
    const nonFinite = error instanceof NonFiniteError ? error.microBatch : undefined;
    return { kind: "workFailed", work, failure, nonFinite, threadsDied: error instanceof ThreadDeathError, cause };
  };

  const compute = async (work: Work): Promise<void> => {
    const stop = new AbortController();
    stops.set(work.id, stop);
    const computed =
      work.kind === "step" ? step(work.id, work.lease, stop.signal) : evaluation(work.id, work.lease, stop.signal);
    const event = await computed.catch((error: unknown) => failed(work.id, error));
    stops.delete(work.id);
    dispatch(event);
    if (event.kind === "computed" && work.kind === "step") prepareNext(work.lease);
  };

  return {
    load: (sequences) => follow(load(sequences)),
    prepare: ({ lease }) => engine.prepare(lease, samples.microBatch),
    compute: (work) => follow(compute(work)),
    abandon: (work) => stops.get(work)?.abort(),
    async close() {
      closed = true;
      for (const stop of stops.values()) stop.abort();
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
