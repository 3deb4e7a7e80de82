/**
 * Joins a run and attaches to it. The engine, which a worker keeps from one attachment to the next, is kept here:
 * threads, memories and model are kept as long as it is the same run.
 */

import type { BackendSettings } from "../backends/machine/index.js";
import type { ChosenBackend, GradientFlip } from "../compute/index.js";
import type { Logger } from "../shared/log.js";
import { during, nameProcess } from "../shared/trace/index.js";
import { type Address, type Connection, connect, formatAddress } from "../shared/wire/index.js";
import { microBatchesOf, openData } from "../tasks/index.js";
import type { Attachment, WorkerEvent } from "./core/index.js";
import { createEngine, type Engine } from "./engine.js";
import { reportFailure } from "./failure.js";
import { type Joined, join } from "./join.js";
import { createNearMemory, type MemoryOptions, type NearMemory } from "./near/index.js";
import { openSession, type Session } from "./session.js";
import type { ServerAccess } from "./shard-link.js";

export interface AttacherOptions {
  readonly address: Address;
  readonly access: ServerAccess;
  readonly backend: ChosenBackend;
  readonly backendSettings: BackendSettings;
  readonly computeThreads: number;
  readonly dataFolder?: string;
  readonly patienceMs?: number;
  readonly flip?: GradientFlip;
  /** How memory is shared with shards of this machine; undefined: numbers go over the wire. */
  readonly memory?: MemoryOptions;
  readonly log: Logger;
  /** Aborted when the worker should no longer wait for a server that is away. */
  readonly signal: AbortSignal;
  dispatch(event: WorkerEvent): void;
}

export interface Attached {
  readonly joined: Joined;
  readonly session: Session;
  /** What the core needs to know. */
  readonly attachment: Attachment;
  close(): Promise<void>;
}

export interface Attacher {
  /** Waits for the server until `untilMs`, by the clock of performance.now(). */
  connect(untilMs: number): Promise<Connection>;
  /** Joins over this connection, which is closed when that fails. */
  attach(connection: Connection): Promise<Attached>;
  /** The logger, bound to the ids of run and worker once they are known. */
  readonly log: Logger;
  /** Closes what is kept. */
  close(): Promise<void>;
}

export function createAttacher(options: AttacherOptions): Attacher {
  const { address, access, signal, dispatch } = options;
  let engine: Engine | undefined;
  /** What shares the engine's memories. */
  let shared: NearMemory | undefined;
  let runId: string | undefined;
  let log = options.log;

  const openEngine = async (joined: Joined, connection: Connection): Promise<Engine> => {
    const { backend, backendSettings, computeThreads, dataFolder, flip, patienceMs } = options;
    const { task, datasetFingerprint: fingerprint, workerId } = joined;
    const data = dataFolder === undefined ? undefined : await openData(task, { folder: dataFolder, fingerprint });
    const notice = (line: string): void => log.info(line);
    const warn = (line: string): void => log.warn(line);
    const what = { joined, backend, backendSettings, computeThreads, data, flip, notice, warn, patienceMs };
    return createEngine(what).catch(async (error: unknown) => {
      await reportFailure(connection, workerId, error);
      throw error;
    });
  };

  const attach = async (connection: Connection): Promise<Attached> => {
    const { backend, computeThreads } = options;
    const joined = await during("join", () => join(connection, { backend, computeThreads, runId, signal }));
    const before = engine;
    if (before?.identity !== joined.identity) {
      engine = undefined;
      await before?.close();
      shared?.close();
      engine = await openEngine(joined, connection);
      shared = options.memory && createNearMemory(options.memory);
    }
    const { workerId, task, layout, shards } = joined;
    runId = joined.runId;
    log = options.log.child({ run: runId, worker: workerId });
    nameProcess(`worker ${workerId}`);
    const session = await openSession({ connection, access, joined, engine: engine!, shared, log, dispatch });
    log.info({ task: task.name }, `joined ${formatAddress(address)} as ${workerId}`);
    return {
      joined,
      session,
      attachment: {
        chunks: layout.chunks,
        shards,
        microBatchesTotal: microBatchesOf(task),
        slots: engine!.memory.bounds,
        newMemory: engine !== before,
      },
      async close() {
        await session.close();
        connection.close();
      },
    };
  };

  return {
    connect(untilMs) {
      const waitMs = Math.max(0, untilMs - performance.now());
      return during("connect", () => connect(address, { ...access, waitMs, signal }));
    },
    attach: (connection) =>
      attach(connection).catch((error: unknown) => {
        connection.close();
        throw error;
      }),
    get log() {
      return log;
    },
    async close() {
      await engine?.close();
      shared?.close();
    },
  };
}
