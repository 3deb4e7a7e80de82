import { constants, type Http2SecureServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import { CONNECTIONS_MAX, TLS_HANDSHAKE_TIMEOUT_MS, WINDOW_BYTES } from "./channel.js";

/**
 * What grpc-js (1.14) gives no option for, done where it makes its HTTP/2 server:
 *
 * - flow control: its client knows `grpc-node.flow_control_window`, its server ignores it (grpc-node pull request
 *   3058), and a push then runs at a quarter of the speed. A stream's window is a setting, the connection's is raised
 *   when a session begins. `maxFrameSize` stays as it is: larger frames made streams hang;
 * - compression: it inflates what comes as gzip or deflate. Nobody here sends that, so it is refused before a byte
 *   is inflated;
 * - caps on connections and on the time a TLS handshake may take;
 * - a forced shutdown that works: `forceShutdown` finds no session to destroy when channelz is off, as ours is;
 * - a call's end at once: every way that grpc-js gives a server waits until what is written has been read.
 *
 * It reaches into private members, therefore package.json pins the minor version; the tests see it when an
 * update moves them.
 */
export function tuneHttp2(server: Server): { destroySessions(): void } {
  const inner = server as unknown as ServerInternals;
  if (typeof inner.commonServerOptions !== "object" || typeof inner.createHttp2Server !== "function") {
    throw new Error("This version of @grpc/grpc-js makes its HTTP/2 server elsewhere: see shared/wire/http2-server.ts");
  }
  Object.assign(inner.commonServerOptions, {
    handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
    settings: { ...inner.commonServerOptions.settings, initialWindowSize: WINDOW_BYTES },
  });
  const sessions = new Set<ServerHttp2Session>();
  const create = inner.createHttp2Server;
  inner.createHttp2Server = (credentials) => {
    const http2Server = create.call(server, credentials);
    http2Server.maxConnections = CONNECTIONS_MAX;
    http2Server.on("session", (session) => {
      session.setLocalWindowSize(WINDOW_BYTES);
      sessions.add(session);
      session.once("close", () => sessions.delete(session));
    });
    http2Server.prependListener("stream", (_stream, headers) => {
      const encoding = headers["grpc-encoding"];
      // To a compressed message of an encoding that it does not know, grpc-js answers UNIMPLEMENTED.
      if (encoding !== undefined && encoding !== "identity") headers["grpc-encoding"] = "compression-is-refused";
    });
    return http2Server;
  };
  return {
    destroySessions() {
      for (const session of sessions) session.destroy();
    },
  };
}

/** Resets the HTTP/2 stream of a server's call; the client sees it cancelled. Does nothing if it is over. */
export function resetServerCall(call: object): void {
  let inner = (call as { call?: CallInternals }).call;
  while (inner?.nextCall) inner = inner.nextCall;
  if (typeof inner?.stream?.close !== "function") {
    throw new Error("This version of @grpc/grpc-js keeps a call's stream elsewhere: see shared/wire/http2-server.ts");
  }
  inner.stream.close(constants.NGHTTP2_CANCEL);
}

interface CallInternals {
  nextCall?: CallInternals;
  stream?: { close(code: number): void };
}

interface ServerInternals {
  commonServerOptions: { settings?: object };
  createHttp2Server(credentials: unknown): Http2Server | Http2SecureServer;
}
