/**
 * A thread's work on its part of a lease. Samples are decoded as soon as they come, which may be long before the lease, and
 * computed and folded once it is their turn; between two micro-batches the thread hears what else it is told. Where another
 * thread computes, as on a GPU, it hears it meanwhile too, and so decodes the next micro-batch while one is computed.
 */
import { began, span } from "../../shared/trace/index.js";
import type { Gradients, SampleBatch } from "./gradients.js";
import { createHostFold } from "./host-fold.js";
import type { FoldedPart, PartFold } from "./lease-fold.js";
import type { SharedMemory } from "./memory.js";
import type { DecodedMicroBatch } from "./model-gradient.js";
import { canFold, createProgramFold } from "./program-fold.js";
import type { FoldedRange, LeaseRequest } from "./protocol.js";
import { type Soon, when } from "./soon.js";
import type { Sums } from "./sums.js";

export interface LeaseWork {
  /** Starts a lease. What was decoded of micro-batches that are not in it is forgotten. */
  begin(request: LeaseRequest): void;
  give(batch: SampleBatch): void;
  /** Gives up the lease, if there is one, once nothing is computed. */
  abandon(): void;
  /** Settled when the micro-batch that another thread computes meanwhile is there; undefined: nothing is computed. */
  readonly computing: Promise<void> | undefined;
}

export interface LeaseWorkOptions {
  readonly thread: number;
  readonly memory: SharedMemory;
  readonly sums: Sums;
  readonly gradients: Pick<Gradients, "decode" | "compute" | "sums" | "within">;
  /** Is called for every micro-batch of a lease but the last. */
  computed(number: number): void;
  /** The lease has ended; null: it was abandoned. */
  ended(folded: FoldedRange | null): void;
  failed(error: unknown): void;
}

interface UnderWay {
  readonly request: LeaseRequest;
  /** Chosen when the first micro-batch is there. */
  fold?: PartFold;
  readonly losses: number[];
  /** For the trace. */
  readonly begun: number;
  startedAt?: number;
  /** When the last micro-batch was done. */
  restsSince?: number;
  waitedMs: number;
  /** It is given up as soon as nothing is computed. */
  abandoned: boolean;
}

export function createLeaseWork(options: LeaseWorkOptions): LeaseWork {
  const { thread, memory, sums, gradients } = options;
  /** By number; each gives the decoded samples, or throws why they can't be. */
  const decoded = new Map<number, () => DecodedMicroBatch>();
  let current: UnderWay | undefined;
  let computing: Promise<void> | undefined;

  const end = (): void => {
    const { lo, hi, firstMicroBatch } = current!.request;
    current = undefined;
    for (let number = firstMicroBatch + lo; number < firstMicroBatch + hi; number++) decoded.delete(number);
  };

  const foldFor = (request: LeaseRequest, first: DecodedMicroBatch): PartFold => {
    const kept = gradients.sums(first);
    return kept !== undefined && canFold(kept, request)
      ? createProgramFold(request, memory, kept)
      : createHostFold(request, { thread, plan: memory.plan, sums, gradients });
  };

  /** The part's end, if the micro-batch is its last. */
  const add = (lease: UnderWay, batch: DecodedMicroBatch): Soon<FoldedPart | undefined> => {
    lease.fold ??= foldFor(lease.request, batch);
    const { fold } = lease;
    return when(fold.add(batch), (loss): Soon<FoldedPart | undefined> => {
      lease.losses.push(loss);
      return fold.leaf === lease.request.hi ? fold.end() : undefined;
    });
  };

  /** Computes what is there of the lease. */
  const advance = (): void => {
    while (current !== undefined && computing === undefined) {
      const lease = current;
      const { request } = lease;
      const number = request.firstMicroBatch + (lease.fold?.leaf ?? request.lo);
      const take = decoded.get(number);
      if (take === undefined) return;
      decoded.delete(number);
      const now = performance.now();
      lease.startedAt ??= now;
      lease.waitedMs += now - (lease.restsSince ?? now);
      let added: Soon<FoldedPart | undefined>;
      try {
        const batch = take();
        added = gradients.within(batch, () => add(lease, batch));
      } catch (error) {
        fail(error);
        return;
      }
      if (added instanceof Promise)
        computing = added.then((folded) => computed(lease, number, folded), fail).then(rested);
      else computed(lease, number, added);
    }
  };

  /** A micro-batch was computed. */
  const computed = (lease: UnderWay, number: number, folded: FoldedPart | undefined): void => {
    if (lease.abandoned) return giveUp();
    lease.restsSince = performance.now();
    if (folded === undefined) return options.computed(number);
    const { request, losses, startedAt, waitedMs, begun } = lease;
    end();
    span("part", begun, request.firstMicroBatch, request.lo, request.hi);
    options.ended({ ...folded, losses, computeMs: performance.now() - startedAt!, waitedMs });
  };

  const fail = (error: unknown): void => {
    end();
    options.failed(error);
  };

  const giveUp = (): void => {
    end();
    options.ended(null);
  };

  /** Another thread has computed what was asked of it. */
  const rested = (): void => {
    computing = undefined;
    advance();
  };

  return {
    begin(request) {
      const { lo, hi, firstMicroBatch } = request;
      for (const number of decoded.keys()) {
        if (number < firstMicroBatch + lo || number >= firstMicroBatch + hi) decoded.delete(number);
      }
      current = { request, losses: [], begun: began(), waitedMs: 0, abandoned: false };
      advance();
    },
    give(batch) {
      decoded.set(
        batch.number,
        later(() => gradients.decode(batch)),
      );
      advance();
    },
    abandon() {
      if (current === undefined) return;
      if (computing === undefined) giveUp();
      else current.abandoned = true;
    },
    get computing() {
      return computing;
    },
  };
}

/** Does something now, and gives its result, or throws what it threw, when it is asked. */
function later<T>(work: () => T): () => T {
  try {
    const result = work();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
