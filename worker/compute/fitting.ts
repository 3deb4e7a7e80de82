/**
 * How many samples of a batch a device has memory for, once it is known that it hasn't for all of them: the batch is
 * halved, and the parts are tried from the smallest on, so that only the last one tried can fail. Nothing is tried for
 * which the machine itself would have too little memory (a system that promises more than it has kills processes), and
 * nothing when time is short: then what fits is at least what has been found.
 */
export interface Fit {
  /** The most samples that fitted; 0: not even one. */
  readonly samples: number;
  /** Whether twice as many are known not to fit. */
  readonly isMost: boolean;
}

export interface FittingOptions {
  /** Computes so many samples; throws if that can't be done. */
  attempt(samples: number): void;
  /** Whether an error means that memory ran out; any other ends the search. */
  isOutOfMemory(error: unknown): boolean;
  readonly memory: HostMemory;
  readonly now: () => number;
  readonly budgetMs: number;
}

/** The machine's memory, as far as the system tells. */
export interface HostMemory {
  /** Forgets the most that was ever used. */
  reset(): void;
  /** The most bytes that this process has used since then; undefined if the system does not say. */
  peakBytes(): number | undefined;
  /** What it uses now. */
  usedBytes(): number;
  freeBytes(): number;
}

/** Of a batch of `samples`, which did not fit. */
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
    // The next part is of twice as many samples.
    const neededBytes = 2 * ((memory.peakBytes() ?? usedBytes) - usedBytes);
    if (usedBytes + neededBytes > memory.usedBytes() + memory.freeBytes()) break;
    if (now() - start + 2 * (now() - begun) > budgetMs) break;
  }
  return { samples: fitted, isMost: fitted === Math.floor(samples / 2) };
}

/** What halving leaves of a batch, from one sample on. */
function partsOf(samples: number): number[] {
  const parts: number[] = [];
  for (let part = Math.floor(samples / 2); part >= 1; part = Math.floor(part / 2)) parts.unshift(part);
  return parts;
}
