/**
 * The messages between a worker's main thread and its compute threads. A thread answers every request, in order, and
 * does nothing without a request. A lease is one request and one reply: its samples are sent when they are available,
 * before or after it, and are computed one at a time.
 */

import type { Numerics } from "../backends/index.js";
import type { BackendName, BackendSettings } from "../backends/machine/index.js";
import type { Layout } from "../shared/layout/index.js";
import type { Interval } from "../shared/sums/index.js";
import type { SampleSpec, Task } from "../tasks/index.js";
import type { FoldedNode, FoldOperation } from "./fold.js";
import type { GradientFlip } from "./gradient-flip.js";
import type { FoldedPart, GradientsOptions, SampleBatch } from "./gradients/index.js";
import type { LeaseCoefficients, Part } from "./sums.js";

/** What a worker receives when it joins: with the layout, all that computing needs. */
export interface Join {
  readonly task: Pick<Task, "seed" | "loss" | "labelSmoothing" | "clipNorm" | "wire" | "precision">;
  /** The model's topology, as JSON. */
  readonly topology: string;
  /** The form of a batch's raw bytes. */
  readonly form: SampleSpec;
}

/** What a thread starts with. */
export interface ThreadStart {
  readonly thread: number;
  readonly threads: number;
  readonly backend: BackendName;
  readonly backendSettings: BackendSettings;
  readonly join: Join;
  readonly layout: Layout;
  /** One shared memory per segment. */
  readonly memories: readonly WebAssembly.Memory[];
  /** The ring for what the thread records; undefined while there is no trace. */
  readonly trace?: SharedArrayBuffer;
  readonly flip?: GradientFlip;
  readonly foldOn?: GradientsOptions["foldOn"];
}

export interface LeaseRequest {
  readonly lo: number;
  readonly hi: number;
  /** The leaves of the whole lease, of which other threads fold the rest. */
  readonly whole: Interval;
  readonly microBatches: number;
  readonly firstMicroBatch: number;
  /** Whether every leaf stays a separate node. */
  readonly apart: boolean;
  readonly coefficients: LeaseCoefficients | undefined;
  readonly slots: number[];
}

export interface FoldedRange extends FoldedPart {
  /** One per leaf. */
  readonly losses: number[];
  /** The time from the first samples to the last sum. */
  readonly computeMs: number;
  /** The time spent waiting for samples after the first. */
  readonly waitedMs: number;
}

/** Requests by name, each with its reply. */
export interface Exchanges {
  /** Copies θ from the shared memories into the thread's model. */
  load: { request: object; reply: null };
  /** Computes and folds leaves [lo, hi). The reply is null if it was abandoned. */
  lease: { request: LeaseRequest; reply: FoldedRange | null };
  /** Performs this thread's part of the joining; then checks its part of the nodes. */
  join: {
    request: {
      operations: FoldOperation[];
      nodes: FoldedNode[];
      coefficients: LeaseCoefficients | undefined;
      part: Part;
    };
    reply: { finite: boolean[] };
  };
  evaluate: { request: { batch: SampleBatch }; reply: { lossSum: number; correct: number } };
}

export type RequestName = keyof Exchanges;
export type RequestOf<Name extends RequestName> = Exchanges[Name]["request"];
export type ReplyOf<Name extends RequestName> = Exchanges[Name]["reply"];

export type Request = { [Name in RequestName]: { name: Name } & RequestOf<Name> }[RequestName];

/** Messages without a reply. */
export type Note =
  /** The samples of a micro-batch of the current lease or a later one; they are decoded at once. */
  | { readonly name: "samples"; readonly batch: SampleBatch }
  /** The current lease is to be given up before its next micro-batch. */
  | { readonly name: "abandon" };

/** A thread's first message says that it is ready, or why it can't be; the others answer requests in their order. */
export type Reply =
  | { readonly ready: { readonly numerics: Numerics; readonly device: string } }
  | { readonly reply: ReplyOf<RequestName> }
  | { readonly failed: ThreadFailure }
  /** Not a reply: this micro-batch is in its lease's sums, and another follows. */
  | { readonly computed: number }
  /** Not a reply: a line for the log. */
  | { readonly notice: string };

/** An error in a form that can be sent between threads. */
export interface ThreadFailure {
  readonly message: string;
  readonly stack?: string;
  /** The code of an IsobatchError. */
  readonly code?: string;
  /** The micro-batch of a NonFiniteError. */
  readonly microBatch?: number;
  /** Whether it is a TooLargeError. */
  readonly tooLarge?: boolean;
}
