/**
 * The events of a trace. An event has up to five numbers, whose names are here; everything else about it follows from
 * its row, so that recording one means writing a few numbers.
 */
export interface EventKind {
  /** The names of its numbers, in order. */
  readonly numbers: readonly string[];
  /**
   * Whether it spans a wait during which its thread does other things; all other events are the thread's own work, and
   * nest.
   */
  readonly waits?: true;
  /** Whether arrows connect it with other events of the lease that its first number names: to it, from it, or both. */
  readonly lease?: "from" | "to" | "both";
}

const kind = (numbers: readonly string[], more: Omit<EventKind, "numbers"> = {}): EventKind => ({ numbers, ...more });

/** The kinds of events; an event is recorded by its number in this table. */
export const EVENTS = {
  /** From the process's start until it knows its command. */
  start: kind([]),
  /** Loading the command's code. */
  modules: kind([], { waits: true }),
  /** Reading the data set, and building and checking the model. */
  prepare: kind([], { waits: true }),
  /** Writing the checkpoint of step 0. */
  "first checkpoint": kind([], { waits: true }),
  /** Making or reading tokens and certificates. */
  security: kind([], { waits: true }),

  /** Finding out which backend works, or whether the requested one does. */
  probe: kind([], { waits: true }),
  connect: kind([], { waits: true }),
  join: kind([], { waits: true }),
  /** Starting the compute threads. */
  engine: kind([], { waits: true }),
  /** A thread opens its backend. */
  backend: kind([], { waits: true }),
  /** A thread builds the model. */
  model: kind([], { waits: true }),

  /** The coordinator: from the step's first plan until all shards have committed it. */
  step: kind(["step"], { waits: true }),
  plan: kind(["step", "shard"]),
  lease: kind(["lease", "step", "lo", "hi"], { lease: "from" }),
  /** Writing the records of a step. */
  record: kind(["step"]),

  /** A shard takes a chunk's sums from a message: checks them, and copies them to where they can be computed with. */
  received: kind(["lease", "step", "chunk", "lo", "hi"], { lease: "to" }),
  /**
   * A shard takes the sums of a node in memory that it shares with the worker: from their announcement until they are
   * read.
   */
  borrowed: kind(["lease", "step", "lo", "hi"], { waits: true, lease: "to" }),
  /** Deciding whether a chunk of the node [lo, hi) is wanted. */
  judged: kind(["step", "chunk", "lo", "hi"]),
  /** Adding sums that wait for a sibling. */
  merged: kind(["chunk", "operations"]),
  /** Adding the last sums of a chunk, and updating it. */
  Adam: kind(["step", "chunk", "operations"]),
  /** The arithmetic of one chunk, on one thread. */
  chunk: kind(["chunk"]),
  published: kind(["version", "chunk"]),
  /** Copying the slice for a checkpoint. */
  snapshot: kind(["step"]),
  /** Reading a checkpoint. */
  restore: kind(["step"]),

  /** A worker: from the first announcement of a version of the weights until all of it has arrived. */
  weights: kind(["version", "term"], { waits: true }),
  /** Copying a chunk of weights from its message. */
  taken: kind(["shard"]),
  /** From then on, until every compute thread has loaded that version. */
  held: kind(["version", "term"], { waits: true }),
  /** Copying weights from the memory of this many shards, unless they can be loaded from where they are. */
  fetched: kind(["shards"]),
  /** A lease has arrived. */
  leased: kind(["lease", "step", "lo", "hi"], { lease: "both" }),
  /** From the request to the threads until they have answered. */
  compute: kind(["lease", "step", "lo", "hi"], { waits: true, lease: "both" }),
  evaluate: kind(["version", "firstBatch", "endBatch"], { waits: true }),
  push: kind(["lease", "step", "shard"], { waits: true, lease: "both" }),
  /** Fetching micro-batches, or batches to evaluate. */
  samples: kind(["first", "end"], { waits: true }),

  /** A compute thread copies the weights into its model. */
  load: kind([]),
  /** Its part of a lease, from the request to the answer. */
  part: kind(["firstMicroBatch", "lo", "hi"]),
  decode: kind(["microBatch"]),
  gradient: kind(["microBatch"]),
  /** Checking that a gradient has only finite numbers. */
  finite: kind(["microBatch"]),
  /** Adding a gradient and its squares to sums. */
  fold: kind(["microBatch"]),
  /** Copying this many nodes from the device that folded them. */
  download: kind(["nodes"]),
  /** Joining the sums of several threads. */
  joined: kind(["operations"]),
  /** A batch that is evaluated. */
  batch: kind(["number"]),
} as const satisfies Record<string, EventKind>;

export type EventName = keyof typeof EVENTS;

/** The most numbers that an event has. */
export const NUMBERS_MAX = 5;
