/** How far a compute thread has come with its lease, as far as the main thread knows. */
export interface LeaseProgress {
  /**
   * The thread is asked for the micro-batches from `first` up to `end`, whose samples it has received or will receive.
   */
  start(first: number, end: number): void;
  /** The thread was sent the samples of a micro-batch, of this lease or a later one. */
  give(number: number): void;
  /** Whether the thread has the samples of the next micro-batch, and so computes. */
  computes(): boolean;
  /** The thread has computed a micro-batch. */
  computed(number: number): void;
  /** Resolves when a micro-batch is computed, or the lease has ended in any way. */
  whenComputed(number: number): Promise<void>;
  end(): void;
}

interface Lease {
  /** The micro-batch that is being computed or comes next, and the one after the last. */
  next: number;
  readonly end: number;
  readonly waiting: { readonly number: number; resolve(): void }[];
}

export function createLeaseProgress(): LeaseProgress {
  /** The micro-batches that the thread was sent and has not computed. */
  const given = new Set<number>();
  let lease: Lease | undefined;
  return {
    start(first, end) {
      lease = { next: first, end, waiting: [] };
      for (const number of given) if (number < first || number >= end) given.delete(number);
    },
    give: (number) => void given.add(number),
    computes: () => lease !== undefined && given.has(lease.next),
    computed(number) {
      given.delete(number);
      lease!.next = number + 1;
      while (lease!.waiting.length > 0 && lease!.waiting[0].number < lease!.next) lease!.waiting.shift()!.resolve();
    },
    whenComputed: (number) =>
      new Promise((resolve) => {
        if (lease === undefined || number < lease.next) resolve();
        else lease.waiting.push({ number, resolve });
      }),
    end() {
      if (lease === undefined) return;
      for (let number = lease.next; number < lease.end; number++) given.delete(number);
      for (const { resolve } of lease.waiting) resolve();
      lease = undefined;
    },
  };
}
