/** Samples that a thread has decoded but not yet computed, by the number of their micro-batch. */
import type { DecodedMicroBatch, Gradients, SampleBatch } from "./gradients/index.js";
import type { LeaseRequest } from "./protocol.js";

type Leaves = Pick<LeaseRequest, "firstMicroBatch" | "lo" | "hi">;

export interface DecodedAhead {
  give(batch: SampleBatch): void;
  /**
   * Removes a micro-batch. The function returns its samples, or throws why they can't be decoded; undefined if it is
   * not here.
   */
  take(number: number): (() => DecodedMicroBatch) | undefined;
  /** Drops all but these leaves. */
  keep(leaves: Leaves): void;
  /** Drops these leaves. */
  forget(leaves: Leaves): void;
}

export function createDecodedAhead({ decode }: Pick<Gradients, "decode">): DecodedAhead {
  const decoded = new Map<number, () => DecodedMicroBatch>();
  const remove = (isUnwanted: (number: number) => boolean): void => {
    for (const number of decoded.keys()) if (isUnwanted(number)) decoded.delete(number);
  };
  return {
    give(batch) {
      decoded.set(
        batch.number,
        outcomeOf(() => decode(batch)),
      );
    },
    take(number) {
      const take = decoded.get(number);
      decoded.delete(number);
      return take;
    },
    keep: (leaves) => remove((number) => !isOneOf(leaves, number)),
    forget: (leaves) => remove((number) => isOneOf(leaves, number)),
  };
}

const isOneOf = ({ firstMicroBatch, lo, hi }: Leaves, number: number): boolean =>
  number >= firstMicroBatch + lo && number < firstMicroBatch + hi;

/** Does something now; the returned function returns its result, or throws what it threw. */
function outcomeOf<T>(work: () => T): () => T {
  try {
    const result = work();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
