/**
 * A thread's work on its part of a lease. Samples are decoded as soon as they arrive, which may be long before the
 * lease, and computed and folded in order; between two micro-batches the thread reads its messages. If another thread
 * makes the call that computes, as on a GPU, it also reads them meanwhile, and so decodes the next micro-batch while
 * one is computed.
 */
import { began, span } from "../shared/trace/index.js";
import { type Awaitable, whenAvailable } from "./awaitable.js";
import { createDecodedAhead } from "./decoded-ahead.js";
import {
  canFold,
  createHostFold,
  createProgramFold,
  type DecodedMicroBatch,
  type FoldedPart,
  type Gradients,
  type PartFold,
  type SampleBatch,
} from "./gradients/index.js";
import type { SharedMemory } from "./memory.js";
import type { FoldedRange, LeaseRequest } from "./protocol.js";
import type { Sums } from "./sums.js";

export interface LeaseWork {
  /** Starts a lease. Decoded micro-batches that are not in it are dropped. */
  begin(request: LeaseRequest): void;
  /** Decodes a micro-batch of the lease that is under way, or of a later one. */
  give(batch: SampleBatch): void;
  /** Gives up the lease, if there is one, as soon as no micro-batch is being computed. */
  abandon(): void;
}

export interface LeaseWorkOptions {
  readonly thread: number;
  readonly memory: SharedMemory;
  readonly sums: Sums;
  readonly gradients: Pick<Gradients, "decode" | "compute" | "sums" | "within">;
  /** Called for every micro-batch of a lease except the last. */
  computed(number: number): void;
  /** The lease has ended; null: it was abandoned. */
  ended(folded: FoldedRange | null): void;
  failed(error: unknown): void;
}

interface UnderWay {
  readonly request: LeaseRequest;
  /** Chosen with the first micro-batch. */
  fold?: PartFold;
  readonly losses: number[];
  /** For the trace. */
  readonly begun: number;
  startedAt?: number;
  /** When the last micro-batch was done. */
  restsSince?: number;
  waitedMs: number;
  /** Whether the lease is given up once the micro-batch that is being computed is done. */
  abandoned: boolean;
}

export function createLeaseWork(options: LeaseWorkOptions): LeaseWork {
  const { gradients } = options;
  const decoded = createDecodedAhead(gradients);
  let current: UnderWay | undefined;
  /** Whether a micro-batch is being computed by another thread. */
  let isComputing = false;

  /** Computes the lease's next micro-batches, as far as their samples have arrived. */
  const advance = (): void => {
    while (current !== undefined && !isComputing) {
      const lease = current;
      const { request } = lease;
      const number = request.firstMicroBatch + (lease.fold?.leaf ?? request.lo);
      const take = decoded.take(number);
      if (take === undefined) return;
      const now = performance.now();
      lease.startedAt ??= now;
      lease.waitedMs += now - (lease.restsSince ?? now);
      let added: Awaitable<FoldedPart | undefined>;
      try {
        const batch = take();
        added = gradients.within(batch, () => add(lease, batch, options));
      } catch (error) {
        return fail(error);
      }
      if (added instanceof Promise) {
        isComputing = true;
        void added.then((folded) => computed(lease, number, folded), fail).then(rested);
      } else computed(lease, number, added);
    }
  };

  /** A micro-batch has been computed and folded. */
  const computed = (lease: UnderWay, number: number, folded: FoldedPart | undefined): void => {
    if (lease.abandoned) return giveUp();
    lease.restsSince = performance.now();
    if (folded === undefined) return options.computed(number);
    const { request, losses, startedAt, waitedMs, begun } = lease;
    end();
    span("part", begun, request.firstMicroBatch, request.lo, request.hi);
    options.ended({ ...folded, losses, computeMs: performance.now() - startedAt!, waitedMs });
  };

  /** The other thread has finished its call. */
  const rested = (): void => {
    isComputing = false;
    advance();
  };

  const end = (): void => {
    decoded.forget(current!.request);
    current = undefined;
  };

  const fail = (error: unknown): void => {
    end();
    options.failed(error);
  };

  const giveUp = (): void => {
    end();
    options.ended(null);
  };

  return {
    begin(request) {
      decoded.keep(request);
      current = { request, losses: [], begun: began(), waitedMs: 0, abandoned: false };
      advance();
    },
    give(batch) {
      decoded.give(batch);
      advance();
    },
    abandon() {
      if (current === undefined) return;
      if (isComputing) current.abandoned = true;
      else giveUp();
    },
  };
}

/** Computes and folds a micro-batch. @returns the end of the part, if it was the last one of the lease */
function add(lease: UnderWay, batch: DecodedMicroBatch, options: LeaseWorkOptions): Awaitable<FoldedPart | undefined> {
  lease.fold ??= foldFor(lease.request, batch, options);
  const { fold } = lease;
  return whenAvailable(fold.add(batch), (loss): Awaitable<FoldedPart | undefined> => {
    lease.losses.push(loss);
    return fold.leaf === lease.request.hi ? fold.end() : undefined;
  });
}

function foldFor(request: LeaseRequest, first: DecodedMicroBatch, options: LeaseWorkOptions): PartFold {
  const { thread, memory, sums, gradients } = options;
  const kept = gradients.sums(first);
  return kept !== undefined && canFold(kept, request)
    ? createProgramFold(request, memory, kept)
    : createHostFold(request, { thread, plan: memory.plan, sums, gradients });
}
