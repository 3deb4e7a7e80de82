/**
 * What a trace consists of. An event has up to five numbers, whose names are here; everything else about it follows from
 * its row, so that recording one is writing a few numbers.
 */
export interface EventKind {
  /** The names of its numbers, in order. */
  readonly numbers: readonly string[];
  /** Whether it is waited for while other things happen on its thread; all others are the thread's own work, and nest. */
  readonly waits?: true;
  /** Whether arrows connect it with the other events of the lease that its first number names: to it, from it, or both. */
  readonly lease?: "from" | "to" | "both";
}

const kind = (numbers: readonly string[], more: Omit<EventKind, "numbers"> = {}): EventKind => ({ numbers, ...more });

/** In the order in which they are recorded by number. */
export const EVENTS = {
  /** From the process's start until it knows what it is to do. */
  start: kind([]),
  /** Loading the command's code. */
  modules: kind([], { waits: true }),
  /** Finding out which backend works, or whether the one that was asked for does. */
  probe: kind([], { waits: true }),
  /** Starting the compute threads. */
  engine: kind([], { waits: true }),
  /** A thread opens its backend. */
  backend: kind([], { waits: true }),
  /** A thread builds the model. */
  model: kind([], { waits: true }),
} as const satisfies Record<string, EventKind>;

export type EventName = keyof typeof EVENTS;

/** The most numbers that an event has. */
export const NUMBERS_MAX = 5;
