import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Client } from "@grpc/grpc-js";
import { watchConnection } from "./liveness.js";
import { type ChannelInternals, reuseClientMemory, sendFrames } from "./reuse.js";

/**
 * Watches every connection that a client makes, as soon as TCP is connected, so that a server that accepts it and then
 * stays silent does not delay reconnecting.
 *
 * It reaches into private members of grpc-js (1.14), which has no hook there; therefore package.json pins the minor
 * version, and the tests fail when an update moves them.
 */
export function watchConnections(client: Client, silenceMs?: number): void {
  const { internalChannel: channel } = client.getChannel() as unknown as ClientChannelInternals;
  sendFrames(channel);
  const pool = channel?.subchannelPool;
  if (typeof pool?.getOrCreateSubchannel !== "function") throw moved();
  const getOrCreate = pool.getOrCreateSubchannel;
  const watched = new WeakSet<Connector>();
  pool.getOrCreateSubchannel = (...args) => {
    const subchannel = getOrCreate.apply(pool, args);
    const { connector } = subchannel;
    if (typeof connector?.tcpConnect !== "function" || typeof connector.createSession !== "function") throw moved();
    if (!watched.has(connector)) watchConnector(connector, silenceMs);
    watched.add(connector);
    return subchannel;
  };
}

/** A connector makes one connection at a time. */
function watchConnector(connector: Connector, silenceMs: number | undefined): void {
  const { connect, tcpConnect, createSession } = connector;
  connector.connect = (address, secureConnector, options) =>
    connect.call(connector, address, withEnd(secureConnector), options);
  let connection: { session?: Http2Session } = {};
  connector.tcpConnect = async (...args) => {
    const socket = await tcpConnect.apply(connector, args);
    // An earlier connection may not be closed yet.
    const own: typeof connection = {};
    connection = own;
    watchConnection(socket, () => own.session, silenceMs);
    return socket;
  };
  connector.createSession = (...args) => {
    const transport = createSession.apply(connector, args);
    connection.session = connector.session ?? undefined;
    return transport.then(reuseClientMemory);
  };
}

/** grpc-js waits forever for a TLS handshake whose socket is closed without an error. */
function withEnd(secureConnector: SecureConnector): SecureConnector {
  return {
    connect: (socket) =>
      Promise.race([
        secureConnector.connect(socket),
        new Promise<never>((_, reject) => {
          socket.once("close", () => reject(new Error("ECONNRESET: the connection was closed")));
        }),
      ]),
    waitForReady: () => secureConnector.waitForReady(),
    getCallCredentials: () => secureConnector.getCallCredentials(),
    destroy: () => secureConnector.destroy(),
  };
}

function moved(): Error {
  return new Error("This version of @grpc/grpc-js makes its connections elsewhere: see shared/wire/http2-client.ts");
}

interface ClientChannelInternals {
  internalChannel?: ChannelInternals & {
    subchannelPool?: { getOrCreateSubchannel(...args: unknown[]): { connector?: Connector } };
  };
}

interface Connector {
  /** The session while it is being set up. */
  session: Http2Session | null;
  connect(address: unknown, secureConnector: SecureConnector, options: unknown): Promise<unknown>;
  tcpConnect(...args: unknown[]): Promise<Socket>;
  createSession(...args: unknown[]): Promise<unknown>;
}

interface SecureConnector {
  connect(socket: Socket): Promise<unknown>;
  waitForReady(): Promise<void>;
  getCallCredentials(): unknown;
  destroy(): void;
}
