import { type Connection, connect, formatAddress, type Trust } from "../shared/wire/index.js";
import type { ShardPlace } from "./join.js";

/**
 * A worker's way to one shard: a connection of its own, also to the one that lives with the coordinator, so that
 * weights and sums never stand before a heartbeat or a lease in one queue.
 */
export interface ShardLink extends ShardPlace {
  /** For people: "shard 1 at 10.0.0.7:7401". */
  readonly name: string;
  /**
   * The connection, made when it is first asked for; it comes back by itself when it is lost.
   * @throws {IsobatchError} `unavailable` if the shard can't be reached now; asking again tries again.
   */
  connection(): Promise<Connection>;
  close(): void;
}

/** What this worker shows to servers, and how it knows them. */
export interface Access {
  readonly token?: string;
  /** Default: as the token says. */
  readonly trust?: Trust;
}

const CONNECT_WAIT_MS = 5_000;

export function createShardLink(place: ShardPlace, access: Access): ShardLink {
  const closed = new AbortController();
  let connecting: Promise<Connection> | undefined;

  return {
    ...place,
    name: `shard ${place.index} at ${formatAddress(place.address)}`,
    connection() {
      connecting ??= connect(place.address, { ...access, waitMs: CONNECT_WAIT_MS, signal: closed.signal }).catch(
        (error: unknown) => {
          connecting = undefined;
          throw error;
        },
      );
      return connecting;
    },
    close() {
      closed.abort();
      connecting?.then((connection) => connection.close()).catch(() => {});
    },
  };
}
