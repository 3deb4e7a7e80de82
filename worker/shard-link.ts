import { type Connection, connect, formatAddress, type Trust } from "../shared/wire/index.js";
import type { ShardPlace } from "./join.js";

/**
 * A worker's connections to one shard: separate from the coordinator's, even to the shard in the coordinator's process,
 * so that weights and sums never hold up a heartbeat or a lease.
 *
 * Sums and weights each have their own connection. Node's HTTP/2 does not read while one of its writes waits for the
 * kernel, so a connection that carries much in both directions blocks forever once the kernel's buffers are full at
 * both ends.
 */
export interface ShardLink extends ShardPlace {
  /** The name for people: "shard 1 at 10.0.0.7:7401". */
  readonly name: string;
  /**
   * The connection for sums or for weights, made when it is first needed; it reconnects by itself when it is lost.
   * @throws {IsobatchError} `unavailable` if the shard can't be reached now; another call tries again
   */
  connection(cargo: Cargo): Promise<Connection>;
  close(): void;
}

export type Cargo = "sums" | "weights";

/** What this worker authenticates with, and how it recognises servers. */
export interface ServerAccess {
  readonly token?: string;
  /** Default: as the token specifies. */
  readonly trust?: Trust;
}

const CONNECT_WAIT_MS = 5_000;

export function createShardLink(place: ShardPlace, access: ServerAccess): ShardLink {
  const closed = new AbortController();
  const connecting = new Map<Cargo, Promise<Connection>>();

  return {
    ...place,
    name: `shard ${place.index} at ${formatAddress(place.address)}`,
    connection(cargo) {
      const known = connecting.get(cargo);
      if (known !== undefined) return known;
      const connection = connect(place.address, { ...access, waitMs: CONNECT_WAIT_MS, signal: closed.signal });
      connecting.set(cargo, connection);
      connection.catch(() => connecting.delete(cargo));
      return connection;
    },
    close() {
      closed.abort();
      for (const connection of connecting.values()) connection.then((each) => each.close()).catch(() => {});
    },
  };
}
