import {
  constants,
  type Http2SecureServer,
  type Http2Server,
  type Http2Session,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { Server } from "@grpc/grpc-js";
import { WINDOW_BYTES } from "./channel.js";
import { watchConnection } from "./liveness.js";

export interface ServerLimits {
  readonly connectionsMax: number;
  /** A TLS handshake that takes longer is cut off. */
  readonly handshakeMs: number;
  /**
   * A connection on which no token has been shown for this long is closed, so that strangers do not use up connections.
   */
  readonly strangerMs: number;
  /** A connection on which nothing arrives for this long is given up. */
  readonly silenceMs: number;
}

export interface TunedHttp2 {
  /** Ends every connection at once; resolves when none is left. */
  destroyConnections(): Promise<void>;
}

/** The longest wait for the close event of a destroyed socket, which comes at once. */
const CLOSE_MS = 1_000;

/**
 * Settings for which grpc-js (1.14) has no option, applied where it makes its HTTP/2 server:
 *
 * - flow control: its client knows `grpc-node.flow_control_window`, its server ignores it (grpc-node pull request
 * 3058), and a push then runs at a quarter of the speed. A stream's window is a setting, the connection's is raised
 * when a session starts. `maxFrameSize` stays as it is: larger frames made streams hang;
 * - compression: it inflates gzip and deflate messages. Our clients never send any, so they are refused before a byte
 * is inflated;
 * - caps on connections, on the time a TLS handshake may take, and on how long a stranger may stay;
 * - only TLS 1.3: both ends are ours;
 * - a forced shutdown that works: `forceShutdown` finds no session to destroy if channelz is off, as ours is, and a
 * session that was asked to close waits for its peer, which may never answer;
 * - connections that are alive as long as bytes move, and sockets that end with their session: see liveness.ts;
 * - ending a call at once: every way that grpc-js offers a server waits until everything written has been read.
 *
 * `isKnown` returns whether a request's authorization header is valid; without it nobody is a stranger.
 *
 * It reaches into private members, therefore package.json pins the minor version; the tests fail when an update moves
 * them.
 */
export function tuneHttp2(
  server: Server,
  { connectionsMax, handshakeMs, strangerMs, silenceMs }: ServerLimits,
  isKnown: ((authorization: unknown) => boolean) | undefined,
): TunedHttp2 {
  const inner = server as unknown as ServerInternals;
  if (typeof inner.commonServerOptions !== "object" || typeof inner.createHttp2Server !== "function") {
    throw new Error("This version of @grpc/grpc-js makes its HTTP/2 server elsewhere: see shared/wire/http2-server.ts");
  }
  Object.assign(inner.commonServerOptions, {
    handshakeTimeout: handshakeMs,
    minVersion: "TLSv1.3",
    settings: { ...inner.commonServerOptions.settings, initialWindowSize: WINDOW_BYTES },
  });
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  const strangers = new WeakMap<Http2Session, NodeJS.Timeout>();
  const create = inner.createHttp2Server;
  inner.createHttp2Server = (credentials) => {
    const http2Server = create.call(server, credentials);
    http2Server.maxConnections = connectionsMax;
    http2Server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    // A session starts within the event that hands its socket over, which with TLS is the second one.
    let begun: Socket | undefined;
    const takeOver = (socket: Socket): void => {
      begun = socket;
    };
    http2Server.prependListener("connection", takeOver);
    http2Server.prependListener("secureConnection", takeOver);
    http2Server.on("session", (session) => {
      session.setLocalWindowSize(WINDOW_BYTES);
      sessions.add(session);
      watchConnection(begun!, () => session, silenceMs);
      const stranger = isKnown && setTimeout(() => session.destroy(), strangerMs);
      if (stranger !== undefined) strangers.set(session, stranger);
      session.once("close", () => {
        sessions.delete(session);
        clearTimeout(stranger);
      });
    });
    http2Server.prependListener("stream", (stream, headers) => {
      const stranger = stream.session && strangers.get(stream.session);
      if (stranger !== undefined && isKnown?.(headers.authorization)) {
        clearTimeout(stranger);
        strangers.delete(stream.session!);
      }
      const encoding = headers["grpc-encoding"];
      // grpc-js answers UNIMPLEMENTED to a compressed message of an unknown encoding.
      if (encoding !== undefined && encoding !== "identity") headers["grpc-encoding"] = "compression-is-refused";
    });
    return http2Server;
  };
  return {
    async destroyConnections() {
      for (const session of sessions) session.destroy();
      const closed = [...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
      for (const socket of sockets) socket.destroy();
      let overdue: NodeJS.Timeout | undefined;
      await Promise.race([
        Promise.all(closed),
        new Promise((resolve) => {
          overdue = setTimeout(resolve, CLOSE_MS);
        }),
      ]);
      clearTimeout(overdue);
    },
  };
}

/** Resets the HTTP/2 stream of a server's call; the client sees it cancelled. Does nothing if it is over. */
export function resetServerCall(call: object): void {
  streamOf(call).close(constants.NGHTTP2_CANCEL);
}

/**
 * Whether a server's call came over TLS. gRPC's `getAuthContext` returns the same without TLS and with TLS if the
 * client has no certificate.
 */
export function isEncrypted(call: object): boolean {
  return streamOf(call).session?.encrypted === true;
}

function streamOf(call: object): ServerHttp2Stream {
  let inner = (call as { call?: CallInternals }).call;
  while (inner?.nextCall) inner = inner.nextCall;
  if (typeof inner?.stream?.close !== "function") {
    throw new Error("This version of @grpc/grpc-js keeps a call's stream elsewhere: see shared/wire/http2-server.ts");
  }
  return inner.stream;
}

interface CallInternals {
  nextCall?: CallInternals;
  stream?: ServerHttp2Stream;
}

interface ServerInternals {
  commonServerOptions: { settings?: object };
  createHttp2Server(credentials: unknown): Http2Server | Http2SecureServer;
}
