/**
 * A thread's work on its part of a lease. Samples are decoded as soon as they come, which may be long before the lease, and
 * computed and folded once it is their turn; between two micro-batches the thread hears what else it is told.
 */
import { began, span } from "../../shared/trace/index.js";
import type { Gradients, SampleBatch } from "./gradients.js";
import { createHostFold } from "./host-fold.js";
import type { FoldedPart, PartFold } from "./lease-fold.js";
import type { SharedMemory } from "./memory.js";
import type { DecodedMicroBatch } from "./model-gradient.js";
import { canFold, createProgramFold } from "./program-fold.js";
import type { FoldedRange, LeaseRequest } from "./protocol.js";
import type { Sums } from "./sums.js";

export interface LeaseWork {
  /** Starts a lease. What was decoded of micro-batches that are not in it is forgotten. */
  begin(request: LeaseRequest): void;
  give(batch: SampleBatch): void;
  /** Gives up the lease, if there is one. */
  abandon(): void;
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
}

export function createLeaseWork(options: LeaseWorkOptions): LeaseWork {
  const { thread, memory, sums, gradients } = options;
  /** By number; each gives the decoded samples, or throws why they can't be. */
  const decoded = new Map<number, () => DecodedMicroBatch>();
  let current: UnderWay | undefined;

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

  /** Computes what is there of the lease. */
  const advance = (): void => {
    while (current !== undefined) {
      const { request, losses } = current;
      const leaf = current.fold?.leaf ?? request.lo;
      const number = request.firstMicroBatch + leaf;
      const take = decoded.get(number);
      if (take === undefined) return;
      decoded.delete(number);
      const now = performance.now();
      current.startedAt ??= now;
      current.waitedMs += now - (current.restsSince ?? now);
      let folded: FoldedPart | undefined;
      try {
        const batch = take();
        const underWay = current;
        folded = gradients.within(batch, () => {
          underWay.fold ??= foldFor(request, batch);
          losses.push(underWay.fold.add(batch));
          return leaf + 1 === request.hi ? underWay.fold.end() : undefined;
        });
      } catch (error) {
        end();
        return options.failed(error);
      }
      current.restsSince = performance.now();
      if (folded === undefined) {
        options.computed(number);
        continue;
      }
      const { startedAt, waitedMs, begun } = current;
      end();
      span("part", begun, request.firstMicroBatch, request.lo, request.hi);
      options.ended({ ...folded, losses, computeMs: performance.now() - startedAt, waitedMs });
    }
  };

  return {
    begin(request) {
      const { lo, hi, firstMicroBatch } = request;
      for (const number of decoded.keys()) {
        if (number < firstMicroBatch + lo || number >= firstMicroBatch + hi) decoded.delete(number);
      }
      current = { request, losses: [], begun: began(), waitedMs: 0 };
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
      end();
      options.ended(null);
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
