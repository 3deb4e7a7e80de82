import type { Logging } from "./log.js";
import type { Settings } from "./run.js";

/** How a worker joins a run, and what it computes with. */
export interface JoinOptions extends Logging {
  /** The run's join token. */
  readonly token: string;
  /** Leaves the run after the present lease. */
  readonly signal?: AbortSignal;
  /** `"wasm"`, `"cpu"`, `"tfjs-node"` or `"tfjs-node-gpu"`. Default: the first that works. */
  readonly backend?: string;
  /** The number of the GPU to compute on, from 0. Default: the first. */
  readonly gpu?: number;
  /** Threads that compute. Default: one per core, or CPU of a quota; 1 on a GPU. */
  readonly computeThreads?: number;
  /** A copy of the data set's files. Default: the server sends the samples. */
  readonly data?: string;
  /** How long the server is tried to be reached at first. Default: 30. */
  readonly waitSeconds?: number;
  /** How long a server that was lost is waited for. Default: 600. */
  readonly reconnectSeconds?: number;
  /** How numbers travel: in memory where it can be shared with the server, else over the wire. Default: `"auto"`. */
  readonly transport?: "auto" | "memory" | "wire";
  /** Files in PEM: the CA of a server that has its owner's certificate, and this worker's own, for a server that asks for one. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** Settings that the command line takes from its environment. Default: none. */
  readonly settings?: Settings;
}

/** A worker that has joined a run. It computes in threads of this process. */
export interface JoinedWorker {
  /** The server's name for it; another one after a reconnection. */
  readonly id: string;
  readonly runId: string;
  /** What it is doing now, and what it has computed. */
  status(): JoinedWorkerStatus;
  /**
   * How it ended: with the run, or because it left. Rejects with an IsobatchError when the run fails, when the server refuses it or
   * is gone for too long, and when the worker can't compute.
   */
  readonly result: Promise<WorkerResult>;
  /** Takes no more work, finishes what it computes, and leaves. `reason` is for the log of the server. */
  leave(reason?: string): Promise<void>;
  /** Ends at once; the server gives its work to others. */
  abort(): Promise<void>;
}

/** A worker at one moment. */
export interface JoinedWorkerStatus {
  /** The task's name. */
  readonly task: string;
  /** For example `"waiting for the server"`, `"loading the model"`, `"computing"` or `"waiting for work"`. */
  readonly state: string;
  /** The step that it computed last, from 0; undefined before its first. */
  readonly step: number | undefined;
  /** Samples that it has computed gradients of. */
  readonly samples: number;
  /** Over the last seconds. */
  readonly samplesPerSecond: number;
}

/** How a worker ended. */
export interface WorkerResult {
  /** `"run ended"`, `"left"`, or after `abort()` `"stopped"`. */
  readonly reason: string;
}
