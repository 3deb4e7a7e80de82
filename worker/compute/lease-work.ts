/**
 * A thread's work on its part of a lease. Samples are decoded as soon as they come, which may be long before the lease, and
 * computed and folded once it is their turn; between two micro-batches the thread hears what else it is told.
 */
import { canonicalNodes } from "../../shared/sums/index.js";
import { began, span } from "../../shared/trace/index.js";
import { createFold, type Fold, type FoldedNode } from "./fold.js";
import type { Gradients, SampleBatch } from "./gradients.js";
import { gradientAddresses, type MemoryPlan, sumAddresses } from "./memory.js";
import type { DecodedMicroBatch } from "./model-gradient.js";
import type { FoldedRange, LeaseRequest } from "./protocol.js";
import { type Sums, WHOLE } from "./sums.js";

export interface LeaseWork {
  /** Starts a lease. What was decoded of micro-batches that are not in it is forgotten. */
  begin(request: LeaseRequest): void;
  give(batch: SampleBatch): void;
  /** Gives up the lease, if there is one. */
  abandon(): void;
}

export interface LeaseWorkOptions {
  readonly thread: number;
  readonly plan: MemoryPlan;
  readonly sums: Sums;
  readonly gradients: Pick<Gradients, "decode" | "compute">;
  /** Is called for every micro-batch of a lease but the last. */
  computed(number: number): void;
  /** The lease has ended; null: it was abandoned. */
  ended(folded: FoldedRange | null): void;
  failed(error: unknown): void;
}

interface UnderWay {
  readonly request: LeaseRequest;
  readonly fold: Fold;
  readonly losses: number[];
  /** For the trace. */
  readonly begun: number;
  startedAt?: number;
  /** When the last micro-batch was done. */
  restsSince?: number;
  waitedMs: number;
}

export function createLeaseWork(options: LeaseWorkOptions): LeaseWork {
  const { thread, plan, sums, gradients } = options;
  /** By number; each gives the decoded samples, or throws why they can't be. */
  const decoded = new Map<number, () => DecodedMicroBatch>();
  let current: UnderWay | undefined;

  const end = (): void => {
    const { lo, hi, firstMicroBatch } = current!.request;
    current = undefined;
    for (let number = firstMicroBatch + lo; number < firstMicroBatch + hi; number++) decoded.delete(number);
  };

  /** Computes what is there of the lease. */
  const advance = (): void => {
    while (current !== undefined) {
      const { request, fold, losses } = current;
      const number = request.firstMicroBatch + fold.leaf;
      const take = decoded.get(number);
      if (take === undefined) return;
      decoded.delete(number);
      const now = performance.now();
      current.startedAt ??= now;
      current.waitedMs += now - (current.restsSince ?? now);
      try {
        const { target } = fold;
        const addresses =
          target === "gradient" ? gradientAddresses(plan, thread) : sumAddresses(plan, target.slot, "s1");
        losses.push(gradients.compute(take(), addresses));
        const begun = began();
        for (const operation of fold.accept()) sums.perform(operation, request.weights, WHOLE);
        span("fold", begun, number);
      } catch (error) {
        end();
        return options.failed(error);
      }
      current.restsSince = performance.now();
      if (fold.leaf < request.hi) {
        options.computed(number);
        continue;
      }
      const { startedAt, waitedMs, begun } = current;
      end();
      const nodes = fold.nodes();
      const infinite = infiniteOf(nodes, request);
      span("part", begun, request.firstMicroBatch, request.lo, request.hi);
      options.ended({ nodes, infinite, losses, computeMs: performance.now() - startedAt, waitedMs });
    }
  };

  /** Of those that nothing is added to any more: what overflows stays so until then. */
  const infiniteOf = (nodes: readonly FoldedNode[], { whole, microBatches }: LeaseRequest): FoldedNode[] => {
    const lasting = canonicalNodes(whole.lo, whole.hi, microBatches);
    return nodes.filter(
      (node) =>
        node.hi - node.lo > 1 &&
        lasting.some(({ lo, hi }) => lo === node.lo && hi === node.hi) &&
        !sums.nodeFinite(node, WHOLE),
    );
  };

  return {
    begin(request) {
      const { lo, hi, microBatches, firstMicroBatch, apart, slots } = request;
      for (const number of decoded.keys()) {
        if (number < firstMicroBatch + lo || number >= firstMicroBatch + hi) decoded.delete(number);
      }
      current = {
        request,
        fold: createFold(lo, hi, microBatches, slots, apart),
        losses: [],
        begun: began(),
        waitedMs: 0,
      };
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
