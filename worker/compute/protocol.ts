/**
 * What a worker's main thread and its compute threads say to each other. A thread answers every request, in order,
 * and does nothing of its own accord: tfjs is synchronous, so a thread is a function from request to reply.
 */
import type { Layout } from "../../shared/layout/index.js";
import type { SampleSpec, Task } from "../../tasks/index.js";
import type { BackendName, Numerics } from "../backends/index.js";
import type { FoldedNode, FoldOperation } from "./fold.js";
import type { GradientFlip } from "./gradient-flip.js";
import type { SampleBatch } from "./gradients.js";
import type { LeaseWeights, Part } from "./sums.js";

/** What a worker is told when it joins: with the layout, all that computing needs. */
export interface Join {
  readonly task: Pick<Task, "seed" | "loss" | "labelSmoothing" | "clipNorm">;
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
  readonly join: Join;
  readonly layout: Layout;
  /** One shared memory a segment. */
  readonly memories: readonly WebAssembly.Memory[];
  /** The ring for what the thread records; undefined while there is no trace. */
  readonly trace?: SharedArrayBuffer;
  readonly flip?: GradientFlip;
}

/** Requests by name, each with what is answered. */
export interface Exchanges {
  /** Copies θ from the shared memories into the thread's model. */
  load: { request: object; reply: null };
  /** Begins a fold of leaves [lo, hi), forgetting any unfinished one. */
  fold: {
    request: {
      lo: number;
      hi: number;
      microBatches: number;
      firstMicroBatch: number;
      weights: LeaseWeights | undefined;
      slots: number[];
    };
    reply: null;
  };
  /** Computes the fold's next leaf from its samples. `waitedMs`: for them, after the leaf before. */
  microBatch: { request: { batch: SampleBatch }; reply: { loss: number; waitedMs: number } };
  /** Ends the fold. */
  nodes: { request: object; reply: { nodes: FoldedNode[] } };
  /** Performs this thread's part of the joining; then checks its part of the nodes. */
  join: {
    request: { operations: FoldOperation[]; nodes: FoldedNode[]; weights: LeaseWeights | undefined; part: Part };
    reply: { finite: boolean[] };
  };
  evaluate: { request: { batch: SampleBatch }; reply: { lossSum: number; correct: number } };
}

export type RequestName = keyof Exchanges;
export type RequestOf<Name extends RequestName> = Exchanges[Name]["request"];
export type ReplyOf<Name extends RequestName> = Exchanges[Name]["reply"];

export type Request = { [Name in RequestName]: { name: Name } & RequestOf<Name> }[RequestName];

/** A thread's first message says that it is ready, or why it can't be; the others answer requests in their order. */
export type Reply =
  | { readonly ready: { readonly numerics: Numerics; readonly device: string } }
  | { readonly reply: ReplyOf<RequestName> }
  | { readonly failed: Failure }
  /** No answer: something to tell people. */
  | { readonly notice: string };

/** An error in a form that survives the way between threads. */
export interface Failure {
  readonly message: string;
  readonly stack?: string;
  /** Of an IsobatchError. */
  readonly code?: string;
  /** Of a NonFiniteError. */
  readonly microBatch?: number;
}
