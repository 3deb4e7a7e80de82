/**
 * Finds how many samples of a batch fit into a device's memory after the whole batch did not. Half of it, a quarter and
 * so on are tried from the smallest part up, so that only the last one tried can fail. A part is not tried if the
 * machine itself would run out of memory (a system that overcommits kills processes), or if it would take too long;
 * then the result is a lower bound.
 */

/** The result of the search. */
export interface Fit {
  /** The most samples that fitted; 0: not even one. */
  readonly samples: number;
  /** Whether twice as many are known not to fit. */
  readonly isMost: boolean;
}

export interface FittingOptions {
  /** Computes this many samples; throws if that fails. */
  attempt(samples: number): void;
  /** Whether an error means that memory ran out; any other ends the search. */
  isOutOfMemory(error: unknown): boolean;
  readonly memory: HostMemory;
  readonly now: () => number;
  readonly budgetMs: number;
}

/** The memory of the machine and of this process, as far as the system reports it. */
export interface HostMemory {
  /** Starts measuring the peak now. */
  reset(): void;
  /** The most bytes that this process has used since `reset`; undefined if the system doesn't report it. */
  peakBytes(): number | undefined;
  /** The bytes that this process uses now. */
  usedBytes(): number;
  /** The bytes that the machine has left for it. */
  freeBytes(): number;
}

/** @param samples the number of samples in the batch that did not fit */
export function findFit(samples: number, options: FittingOptions): Fit {
  const { attempt, isOutOfMemory, memory, now, budgetMs } = options;
  const start = now();
  let fitted = 0;
  for (const part of partsOf(samples)) {
    const begun = now();
    const usedBytes = memory.usedBytes();
    memory.reset();
    try {
      attempt(part);
    } catch (error) {
      return { samples: fitted, isMost: isOutOfMemory(error) };
    }
    fitted = part;
    // The next part has twice as many samples.
    const neededBytes = 2 * ((memory.peakBytes() ?? usedBytes) - usedBytes);
    if (usedBytes + neededBytes > memory.usedBytes() + memory.freeBytes()) break;
    if (now() - start + 2 * (now() - begun) > budgetMs) break;
  }
  return { samples: fitted, isMost: fitted === Math.floor(samples / 2) };
}

/** The sizes that repeated halving of a batch gives, from one sample up. */
function partsOf(samples: number): number[] {
  const parts: number[] = [];
  for (let part = Math.floor(samples / 2); part >= 1; part = Math.floor(part / 2)) parts.unshift(part);
  return parts;
}
