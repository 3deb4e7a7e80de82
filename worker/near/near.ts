/**
 * How this worker's numbers travel to each shard: through memory, if both are on one machine and can share some, else
 * over the wire. This is found out each time a stream of a shard's weights is opened, and logged with the reason.
 */

import type { WorkerMemory } from "../../compute/index.js";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import { NearError, NoRoomError } from "../../shared/near/index.js";
import type { ShardLink } from "../shard-link.js";
import type { NearMemory } from "./near-memory.js";
import { type NearSession, openNearSession, type SettledWeights } from "./near-session.js";

export interface NearOptions {
  /** Undefined: this worker is set to use the wire. */
  readonly shared: NearMemory | undefined;
  readonly runId: string;
  readonly workerId: string;
  /** The seal of the answer to Join. */
  readonly seal: Uint8Array;
  readonly links: readonly ShardLink[];
  readonly memory: WorkerMemory;
  readonly log: Logger;
  /** Called when all of the shard's θ is of these weights. */
  onWeights(shard: number, weights: SettledWeights): void;
  /** Logs how numbers travel, once that is known for all shards, and whenever it changes. */
  onTransport(transport: string): void;
}

/** After this many sessions in a row that end before a push was taken, the wire is used until its stream ends. */
const FAILURES_MAX = 3;

export interface Near {
  /**
   * Shares memory with the shard from now on.
   * @returns undefined if its numbers have to go over the wire
   * @throws {IsobatchError} if the shard can't be reached, or if the worker is required to share memory and can't
   */
  open(shard: number, signal: AbortSignal): Promise<NearSession | undefined>;
  /** The session with the shard, if there is one now. */
  session(shard: number): NearSession | undefined;
  /** Whether every shard sees this worker's memory now, so that no number is copied. */
  readonly mapped: boolean;
  /**
   * Copies into θ what is shared and not mapped.
   * @param sequences the announced sequence of each shard
   * @returns a function that lists the shards whose θ is not, or no longer, the one of its sequence
   */
  fetch(sequences: ReadonlyMap<number, number>): () => number[];
}

/** Returns the function to be called with each shard's transport, which logs what holds for all of them when it changes. */
function createTransportReport({ links, log, onTransport }: NearOptions) {
  const transports = new Map<number, Transport>();
  let logged = "";
  return (shard: number, transport: Transport): void => {
    transports.set(shard, transport);
    if (transports.size < links.length) return;
    const [line, name] = summaryOf([...transports.values()]);
    if (line === logged) return;
    logged = line;
    log[[...transports.values()].some(({ full }) => full) ? "warn" : "info"](line);
    onTransport(name);
  };
}

export function createNear(options: NearOptions): Near {
  const { shared, links, memory, log } = options;
  const sessions = new Map<number, NearSession>();
  /** For each shard, the number of sessions in a row through which nothing was pushed, and why the last one ended. */
  const failures = new Map<number, { readonly count: number; readonly why: string }>();
  const reportTransport = createTransportReport(options);

  const failed = (shard: number, error: unknown): void => {
    failures.set(shard, { count: (failures.get(shard)?.count ?? 0) + 1, why: messageOf(error).replace(/\.$/, "") });
  };

  const connect = async (shared: NearMemory, shard: number, signal: AbortSignal): Promise<NearSession> => {
    const connection = await links[shard].connection("weights");
    const before = failures.get(shard);
    if (before !== undefined && before.count >= FAILURES_MAX) {
      failures.delete(shard);
      throw new NearError(`it failed ${FAILURES_MAX} times in a row: ${before.why}`);
    }
    const { runId, workerId, seal } = options;
    const opening = openNearSession(
      {
        runId,
        workerId,
        seal,
        memory,
        signal,
        link: links[shard],
        page: shard,
        memoryFolder: shared.folder,
        mapper: shared.mapper,
        pages: shared.pagesFor(links.length),
        shareSlots: () => shared.slots(memory, log),
        onOpened(session) {
          sessions.set(shard, session);
          const forget = (error: unknown): void => {
            if (sessions.get(shard) === session) sessions.delete(shard);
            if (session.proven) failures.delete(shard);
            else failed(shard, error);
          };
          session.ended.then(forget, forget);
        },
        onWeights: (weights) => options.onWeights(shard, weights),
      },
      connection,
    );
    return opening.catch((error: unknown) => {
      failed(shard, error);
      throw error;
    });
  };

  return {
    async open(shard, signal) {
      if (shared === undefined) {
        reportTransport(shard, { name: "wire", why: "this worker is set to use it" });
        return undefined;
      }
      try {
        const session = await connect(shared, shard, signal);
        reportTransport(shard, session.mapped ? { name: "memory" } : { name: "copied", why: whyCopied(shared) });
        return session;
      } catch (error) {
        const refused = error instanceof IsobatchError && error.code === "refused";
        if (!(error instanceof NearError || refused)) throw error;
        const why = error.message.replace(/\.$/, "");
        if (shared.required) {
          throw new IsobatchError(
            "invalid_input",
            `--transport is memory, but this worker can share none with ${links[shard].name}: ${why}; choose auto or wire.`,
          );
        }
        reportTransport(shard, { name: "wire", why, full: error instanceof NoRoomError });
        return undefined;
      }
    },
    session: (shard) => sessions.get(shard),
    get mapped() {
      return links.every((_, shard) => sessions.get(shard)?.mapped === true);
    },
    fetch(sequences) {
      const stands = (shard: number, session: NearSession | undefined): boolean =>
        session !== undefined &&
        sessions.get(shard) === session &&
        session.settled?.sequence === sequences.get(shard) &&
        orClose(session, () => session.theta.sequence()) === sequences.get(shard);
      const fetched = [...sequences.keys()].map((shard) => {
        const session = sessions.get(shard);
        return { shard, session: session !== undefined && fetchFrom(session) ? session : undefined };
      });
      return () => fetched.filter(({ shard, session }) => !stands(shard, session)).map(({ shard }) => shard);
    },
  };
}

/** Reads a shard's files; if they are no longer what they should be, the wire is used from then on. */
function orClose<T>(session: NearSession, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NearError)) throw error;
    void session.close();
    return undefined;
  }
}

/** @returns whether all of it was read */
function fetchFrom(session: NearSession): boolean {
  const fetched = orClose(session, () => {
    session.theta.fetch();
    return true;
  });
  return fetched ?? false;
}

interface Transport {
  readonly name: "memory" | "copied" | "wire";
  readonly why?: string;
  /** Whether the memory folder is full, which a user can fix. */
  readonly full?: boolean;
}

function whyCopied({ mapper }: NearMemory): string {
  return mapper === undefined
    ? "isobatch tensorflow install compiles what avoids that"
    : "the shards' parts of the weights do not start with pages of memory";
}

/** How numbers travel to all shards, as a sentence for the log. */
function summaryOf(transports: readonly Transport[]): [line: string, name: string] {
  const [first] = transports;
  const line = ({ name, why }: Transport): string => {
    if (name === "memory") return "numbers stay in memory that is shared with the server";
    if (name === "copied") return `numbers are copied to and from memory that is shared with the server: ${why}`;
    return `numbers go over the wire: ${why}`;
  };
  if (transports.every(({ name }) => name === first.name)) return [line(first), first.name];
  const counted = (["memory", "copied", "wire"] as const).flatMap((name) => {
    const those = transports.filter((each) => each.name === name);
    return those.length === 0 ? [] : [`${line(those[0])} (${those.length} of ${transports.length} shards)`];
  });
  return [counted.join("; "), "mixed"];
}
