/**
 * A link that a test can spoil: a TCP proxy before a server, which passes bytes on without knowing what they are. As on
 * a real one, neither end notices a stall; both notice a cut.
 */
import net, { type AddressInfo } from "node:net";
import type { Address } from "./index.js";

export interface LinkOptions {
  readonly target: Address;
  /** Where it listens; by default on 127.0.0.1, at any port. */
  readonly listen?: Address;
  /** Called with each connection before anything passes. */
  readonly onConnection?: OnConnection;
}

type OnConnection = (connection: LinkConnection) => void;

export interface LinkConnection {
  /** Bytes that have passed, in both directions. */
  readonly bytes: number;
  /** Whether it has ended, from whichever side. */
  readonly closed: boolean;
  /** Nothing passes any longer, and neither side notices. */
  stall(direction?: "up" | "down"): void;
  /** Both sides are reset. */
  cut(): void;
  /** Both sides hear, in order, that nothing more comes. */
  hangUp(): void;
  /** From the server to the client this many bytes pass per second. */
  slowDown(bytesPerSecond: number): void;
  /** Calls `action` once, when this many bytes have passed. */
  onBytes(bytes: number, action: () => void): void;
}

export interface Link {
  readonly address: Address;
  /** All that were ever made, in their order. */
  readonly connections: readonly LinkConnection[];
  /** What a test may change. */
  readonly behaviour: { onConnection?: OnConnection };
  close(): Promise<void>;
}

export async function openLink({ target, listen, onConnection }: LinkOptions): Promise<Link> {
  const connections: (LinkConnection & { end(): void })[] = [];
  const behaviour = { onConnection };
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const connection = createConnection(client, net.connect({ ...target, allowHalfOpen: true }));
    connections.push(connection);
    behaviour.onConnection?.(connection);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(listen?.port ?? 0, listen?.host ?? "127.0.0.1", resolve);
  });
  const { address: host, port } = server.address() as AddressInfo;
  return {
    address: { host, port },
    connections,
    behaviour,
    close() {
      for (const { end } of connections) end();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function createConnection(client: net.Socket, server: net.Socket): LinkConnection & { end(): void } {
  const stalled = { up: false, down: false };
  let bytes = 0;
  let closed = false;
  let rate = Number.POSITIVE_INFINITY;
  let actions: { readonly at: number; action: () => void }[] = [];
  const end = (): void => {
    closed = true;
    client.destroy();
    server.destroy();
  };

  const pass = (from: net.Socket, to: net.Socket, direction: "up" | "down"): void => {
    from.on("data", (data: Buffer) => {
      if (stalled[direction]) return;
      bytes += data.length;
      const due = actions.filter(({ at }) => at <= bytes);
      actions = actions.filter((each) => !due.includes(each));
      for (const { action } of due) action();
      if (closed || stalled[direction]) return;
      const full = !to.write(data);
      const pauseMs = direction === "down" ? (1_000 * data.length) / rate : 0;
      if (full) {
        from.pause();
        to.once("drain", () => stalled[direction] || from.resume());
      } else if (pauseMs > 0) {
        from.pause();
        setTimeout(() => stalled[direction] || from.resume(), pauseMs).unref();
      }
    });
    from.on("end", () => stalled[direction] || to.end());
    // What ends on one side while the link is stalled is not noticed on the other.
    from.on("error", () => {});
    from.on("close", () => stalled[direction] || end());
  };
  pass(client, server, "up");
  pass(server, client, "down");

  return {
    get bytes() {
      return bytes;
    },
    get closed() {
      return closed || (client.destroyed && server.destroyed);
    },
    stall(direction) {
      if (direction !== "down") stalled.up = true;
      if (direction !== "up") stalled.down = true;
      if (stalled.up) client.pause();
      if (stalled.down) server.pause();
    },
    cut() {
      closed = true;
      client.resetAndDestroy();
      server.resetAndDestroy();
    },
    hangUp() {
      stalled.up = true;
      stalled.down = true;
      client.end();
      server.end();
      // What still comes is thrown away: closed with unread bytes, a socket is reset.
      client.resume();
      server.resume();
    },
    slowDown(bytesPerSecond) {
      rate = bytesPerSecond;
    },
    onBytes(at, action) {
      actions.push({ at, action });
    },
    end,
  };
}
