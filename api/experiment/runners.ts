/**
 * Several processes, each of which trains one run at a time. A run is never shared between processes: with as many
 * runs as an experiment has, that is the least waiting.
 */
import type { RunResult, RunSpec } from "../../experiment/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { type Child, startChild } from "../children/child.js";
import type { ExperimentOrder } from "../programs/orders.js";
import type { Settings } from "../types/run.js";

/** A message to a process. */
export interface RunOrder {
  readonly run: RunSpec;
}

/** A message from a process. */
export type RunReport =
  | { readonly microBatches: number }
  | { readonly result: RunResult }
  /** A sentence for a person, where they can do something about it. */
  | { readonly failed: string };

export interface RunnersOptions {
  readonly runs: readonly RunSpec[];
  readonly processes: number;
  readonly backend: string;
  /** One a process, in turn, as CUDA_VISIBLE_DEVICES names them; undefined: none computes on a GPU. */
  readonly gpus?: readonly string[];
  readonly settings: Settings | undefined;
  /** Ends all processes at once; what they had not finished is lost. */
  readonly signal: AbortSignal;
  readonly onResult: (result: RunResult) => void;
  /** @param microBatches done of the unfinished runs, by all processes together */
  readonly onProgress: (microBatches: number) => void;
}

/** Trains the runs; resolves when all are done, or when the signal has ended them. */
export async function trainRuns(options: RunnersOptions): Promise<void> {
  const { runs, processes, gpus, signal } = options;
  const queue = [...runs];
  const children = new Set<Child>();
  const unfinished: number[] = [];
  const stop = (): void => {
    for (const child of children) child.kill();
  };
  signal.addEventListener("abort", stop, { once: true });

  /** One process, from its first run to the last. */
  const work = async (index: number): Promise<void> => {
    if (queue.length === 0 || signal.aborted) return;
    let settle: { resolve(): void; reject(error: unknown): void };
    const ended = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    let present: RunSpec | undefined;
    const next = (): void => {
      present = queue.shift();
      unfinished[index] = 0;
      if (present === undefined) child.kill();
      else child.send({ run: present } satisfies RunOrder);
    };
    const order: ExperimentOrder = { backend: options.backend, visibleDevices: gpus?.[index % gpus.length] };
    const child = startChild({
      program: "experiment",
      order,
      settings: options.settings,
      onMessage(message) {
        const report = message as RunReport;
        if ("microBatches" in report) {
          unfinished[index] = report.microBatches;
          options.onProgress(unfinished.reduce((sum, done) => sum + done, 0));
        } else if ("failed" in report) {
          settle.reject(new IsobatchError("unavailable", report.failed));
        } else {
          try {
            options.onResult(report.result);
            next();
          } catch (error) {
            settle.reject(error);
          }
        }
      },
    });
    children.add(child);
    void child.exited.then(({ reason }) => {
      children.delete(child);
      if (present === undefined || signal.aborted) settle.resolve();
      else
        settle.reject(new IsobatchError("unavailable", `The process that trained ${present.key} is gone. ${reason}`));
    });
    next();
    await ended;
  };

  try {
    await Promise.all(Array.from({ length: processes }, (_, index) => work(index)));
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await Promise.all([...children].map(({ exited }) => exited));
  }
}
