import { type Connection, connect, formatAddress, type Trust } from "../shared/wire/index.js";
import type { ShardPlace } from "./join.js";

/**
 * A worker's way to one shard: connections of its own, also to the shard in the coordinator's process, so that weights
 * and sums never hold up a heartbeat or a lease.
 *
 * Sums and weights each have one. Node's HTTP/2 does not read while a write of its own waits for the kernel, so a
 * connection that carries much in both directions stands still for ever once the kernel's buffers are full at both ends.
 */
export interface ShardLink extends ShardPlace {
  /** For people: "shard 1 at 10.0.0.7:7401". */
  readonly name: string;
  /**
   * The connection for sums or for weights, made when it is first asked for; it comes back by itself when it is lost.
   * @throws {IsobatchError} `unavailable` if the shard can't be reached now; asking again tries again.
   */
  connection(cargo: Cargo): Promise<Connection>;
  close(): void;
}

export type Cargo = "sums" | "weights";

/** What this worker shows to servers, and how it knows them. */
export interface Access {
  readonly token?: string;
  /** Default: as the token says. */
  readonly trust?: Trust;
}

const CONNECT_WAIT_MS = 5_000;

export function createShardLink(place: ShardPlace, access: Access): ShardLink {
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
