import { IsobatchError } from "../../shared/errors.js";
import type { Numerics } from "../../shared/numerics.js";
import type { JoinRequest, MessageWriter, WorkerCommand } from "../../shared/wire/index.js";

/**
 * The workers that have joined, and who they are. A worker's id is assigned by Join and is valid for one Work stream: a
 * worker that reconnects gets a new id, so that messages of the old stream cannot be mistaken for the new one's.
 */
export interface Members {
  /** Admits a worker that showed the token of this name. @returns its id. */
  join(request: JoiningWorker, token: string): string;
  /**
   * The worker's stream is open.
   * @throws {IsobatchError} `refused` for an id that is unknown or in use, or that joined with another token
   */
  attach(id: string, writer: MessageWriter<WorkerCommand>, token: string): Member;
  leave(id: string): void;
  /** The worker has reported how its numbers travel; a name that is not one of TRANSPORTS is not shown. */
  transport(id: string, name: string): void;
  get(id: string): Member | undefined;
  /** The workers with an open stream. */
  attached(): Member[];
  /** Whether this process (`processId` on `host`) has computed anything that was committed. */
  hasWorked(host: string, processId: number): boolean;
  /** All workers that have ever had a stream, in the order in which they joined. */
  all(): Member[];
}

/** A worker's own description, once its numerics class has been checked. */
export type JoiningWorker = Pick<JoinRequest, "host" | "processId" | "device" | "computeThreads"> & {
  readonly numerics: Numerics;
};

export interface Member {
  readonly id: string;
  /** The name of the token that it joined with. */
  readonly token: string;
  readonly host: string;
  readonly processId: number;
  readonly device: string;
  readonly computeThreads: number;
  readonly numerics: Numerics;
  writer: MessageWriter<WorkerCommand> | undefined;
  /** How its numbers travel; empty until it has reported that. */
  transport: string;
  /** The number of committed micro-batches that it computed. */
  microBatches: number;
}

/** The most workers remembered that have joined and not opened their stream; beyond it the oldest are forgotten. */
const UNATTACHED_MAX = 1_000;
/** See Transport in the protocol. */
const TRANSPORTS = ["memory", "copied", "wire", "mixed"];
/** The longest host name that is shown in logs and ids. */
const HOST_LENGTH_MAX = 100;

/** A host's name as it is shown in logs, ids and status. */
function hostName(name: string): string {
  return name.replace(/[^\w.-]/g, "").slice(0, HOST_LENGTH_MAX) || "worker";
}

export function createMembers(): Members {
  const joined = new Map<string, Member>();
  const known = new Map<string, Member>();
  let count = 0;

  return {
    join(request, token) {
      const host = hostName(request.host);
      const id = `${host}-${++count}`;
      for (const oldest of joined.keys()) {
        if (joined.size < UNATTACHED_MAX) break;
        joined.delete(oldest);
      }
      joined.set(id, {
        id,
        token,
        host,
        processId: request.processId,
        device: request.device,
        computeThreads: request.computeThreads,
        numerics: request.numerics,
        writer: undefined,
        transport: "",
        microBatches: 0,
      });
      return id;
    },
    attach(id, writer, token) {
      const member = joined.get(id);
      if (member === undefined || member.token !== token) {
        throw new IsobatchError("refused", `No worker "${id}" has joined and is yet to open its stream; join again.`);
      }
      joined.delete(id);
      member.writer = writer;
      known.set(id, member);
      return member;
    },
    leave(id) {
      const member = known.get(id);
      if (member !== undefined) member.writer = undefined;
    },
    transport(id, name) {
      const member = known.get(id);
      if (member !== undefined && TRANSPORTS.includes(name)) member.transport = name;
    },
    get: (id) => known.get(id),
    attached: () => [...known.values()].filter((member) => member.writer !== undefined),
    hasWorked: (host, processId) =>
      [...known.values()].some(
        (member) => member.processId === processId && member.host === hostName(host) && member.microBatches > 0,
      ),
    all: () => [...known.values()],
  };
}
