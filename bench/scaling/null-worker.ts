import { createCoreHost } from "../../shared/core-host.js";
import type { Logger } from "../../shared/log.js";
import { type Address, connect, trustOf } from "../../shared/wire/index.js";
import { microBatchesOf } from "../../tasks/index.js";
import { createWorkerCore, type Ending, type WorkerEffect, type WorkerEvent } from "../../worker/core/index.js";
import { join, openSession, type Session } from "../../worker/index.js";
import { createNullEngine } from "./null-engine.js";

export interface NullWorkerOptions {
  readonly address: Address;
  readonly token: string;
  readonly log: Logger;
  /** How long it waits for each micro-batch. */
  readonly computeMs: number;
  /** Called for each lease that was computed. */
  onLease(): void;
}

const CONNECT_MS = 60_000;
/** A separate numerics class: no other worker can join such a run. */
const NUMERICS = { backend: "null", version: "0", architecture: process.arch, flags: "" };

/**
 * Joins a run as a worker does, with a worker's core and session, but with an engine that computes nothing. It does not reconnect
 * when the server is lost. Resolves when it has ended.
 */
export function runNullWorker({ address, token, log, computeMs, onLease }: NullWorkerOptions): Promise<void> {
  const access = { token, trust: trustOf(token) };
  let attached: { session: Session; close(): Promise<void> } | undefined;

  return new Promise((resolve, reject) => {
    const core = createWorkerCore({ connectWaitMs: CONNECT_MS, reconnectWaitMs: 0 });
    const { dispatch } = createCoreHost<WorkerEvent, WorkerEffect>({
      handle: (event) => core.handle(event, performance.now()),
      perform,
      onFailed: reject,
    });

    const attach = async (afterMs: number): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const connection = await connect(address, { ...access, waitMs: CONNECT_MS });
      const backend = { name: "cpu" as const, numerics: NUMERICS, device: "none" };
      const { signal } = new AbortController();
      const joined = await join(connection, { backend, computeThreads: 1, runId: undefined, signal });
      const engine = createNullEngine(joined, computeMs, onLease);
      const session = await openSession({ connection, access, joined, engine, shared: undefined, log, dispatch });
      attached = { session, close: () => session.close().then(() => connection.close()) };
      const { task, layout, shards } = joined;
      const microBatchesTotal = microBatchesOf(task);
      const slots = { total: 0, perLease: 1 };
      dispatch({
        kind: "attached",
        attachment: { chunks: layout.chunks, shards, microBatchesTotal, slots, newMemory: true },
      });
      session.read();
    };

    const finish = async (ending: Ending): Promise<void> => {
      await attached?.close();
      if ("error" in ending) reject(ending.error);
      else resolve();
    };

    function perform(effect: WorkerEffect): void {
      switch (effect.kind) {
        case "attach":
          // A server whose shards are still starting is asked again.
          return void attach(effect.afterMs).catch((error: unknown) =>
            dispatch({ kind: "attachFailed", error, retriable: true, answered: true }),
          );
        case "cancelAttach":
          return;
        case "detach":
          return void attached?.close().then(() => dispatch({ kind: "detached" }));
        case "end":
          return void finish(effect.ending);
        case "note":
          return log[effect.level](effect.message);
        default:
          return attached?.session.perform(effect);
      }
    }

    dispatch({ kind: "start" });
  });
}
