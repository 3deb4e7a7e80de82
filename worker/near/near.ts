/**
 * How this worker's numbers travel to each shard: through memory, if the two are of one machine and can share some, else
 * over the wire. It is found out each time a shard's weights are watched anew, and the log says which it is, and why.
 */

import type { WorkerMemory } from "../../compute/index.js";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import { NearError, NoRoomError } from "../../shared/near/index.js";
import type { ShardLink } from "../shard-link.js";
import type { NearMemory } from "./near-memory.js";
import { type NearSession, openNearSession, type StandingWeights } from "./near-session.js";

export interface NearOptions {
  /** Undefined: this worker uses the wire, as it was told. */
  readonly shared: NearMemory | undefined;
  readonly runId: string;
  readonly workerId: string;
  /** JoinResponse's. */
  readonly seal: Uint8Array;
  readonly links: readonly ShardLink[];
  readonly memory: WorkerMemory;
  readonly log: Logger;
  /** All of the shard's θ is of these weights. */
  onWeights(shard: number, weights: StandingWeights): void;
  /** Says how numbers travel, when that is known of all shards, and whenever it changes. */
  onTransport(transport: string): void;
}

/** So many sessions in a row that end before a push was taken are enough: then the wire is used until its stream ends. */
const FAILURES_MAX = 3;

export interface Near {
  /**
   * Shares memory with the shard from now on.
   * @returns undefined if its numbers have to go over the wire
   * @throws {IsobatchError} if the shard can't be reached, or if the worker was told to share memory and can't
   */
  open(shard: number, signal: AbortSignal): Promise<NearSession | undefined>;
  /** The session with the shard, if there is one now. */
  session(shard: number): NearSession | undefined;
  /** Whether every shard sees this worker's memory now, so that no number is copied. */
  readonly mapped: boolean;
  /**
   * Copies into θ what is shared and not mapped.
   * @param sequences by shard, as it was announced
   * @returns what says at any time later whose θ is not, or no longer, the one of its sequence
   */
  fetch(sequences: ReadonlyMap<number, number>): () => number[];
}

export function createNear(options: NearOptions): Near {
  const { shared, links, memory, log } = options;
  const sessions = new Map<number, NearSession>();
  const transports = new Map<number, Transport>();
  /** By shard, sessions in a row through which nothing was pushed; the last one's end. */
  const failures = new Map<number, { readonly count: number; readonly why: string }>();
  let told = "";

  const tell = (shard: number, transport: Transport): void => {
    transports.set(shard, transport);
    if (transports.size < links.length) return;
    const [line, name] = summaryOf([...transports.values()]);
    if (line === told) return;
    told = line;
    log[[...transports.values()].some(({ full }) => full) ? "warn" : "info"](line);
    options.onTransport(name);
  };

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
        ...{ runId, workerId, seal, memory, signal, link: links[shard], page: shard },
        ...{ memoryFolder: shared.folder, mapper: shared.mapper, pages: shared.pagesFor(links.length) },
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
        tell(shard, { name: "wire", why: "this worker was told so" });
        return undefined;
      }
      try {
        const session = await connect(shared, shard, signal);
        tell(shard, session.mapped ? { name: "memory" } : { name: "copied", why: whyCopied(shared) });
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
        tell(shard, { name: "wire", why, full: error instanceof NoRoomError });
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
        session.standing?.sequence === sequences.get(shard) &&
        orClose(session, () => session.theta.sequence()) === sequences.get(shard);
      const fetched = [...sequences.keys()].map((shard) => {
        const session = sessions.get(shard);
        return { shard, session: session !== undefined && fetchFrom(session) ? session : undefined };
      });
      return () => fetched.filter(({ shard, session }) => !stands(shard, session)).map(({ shard }) => shard);
    },
  };
}

/** What is read from a shard's files; one whose files are no longer what they should be is asked over the wire from then on. */
function orClose<T>(session: NearSession, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NearError)) throw error;
    void session.close();
    return undefined;
  }
}

/** @returns whether it is there */
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
  /** The memory folder is, which a person can mend. */
  readonly full?: boolean;
}

function whyCopied({ mapper }: NearMemory): string {
  return mapper === undefined
    ? "isobatch tensorflow install compiles what can do without"
    : "the shards' parts of the weights do not start with pages of memory";
}

/** What all shards' transports are, as a sentence for the log and in a word. */
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
