import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { Logger } from "../../shared/log.js";
import { type Address, formatAddress, isLoopback, listenError } from "../../shared/wire/index.js";
import { createGuard, type Verify } from "./access/index.js";
import { loadAssets } from "./assets.js";
import { createFeed, createStreams } from "./live/index.js";
import { createRunMetrics } from "./metrics/index.js";
import { createRoutes } from "./routes.js";
import type { DashboardSource } from "./source.js";

/** The dashboard, the metrics and the probes of a run, over HTTP. */
export interface Dashboard {
  /** The address to open in a browser. */
  readonly url: string;
  readonly address: Address;
  /** Sends every stream the last status and ends it. */
  close(): Promise<void>;
}

export interface DashboardOptions {
  readonly source: DashboardSource;
  readonly address: Address;
  /** Whether to take any free port if that one is in use. */
  readonly orAnyPort?: boolean;
  /** PEM; undefined: nothing is encrypted. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  readonly verify: Verify;
  /** Shown to people who may act. */
  joinCommand(): string;
  readonly log: Logger;
}

const CONNECTIONS_MAX = 256;
/** A connection that sends no request within this time is closed. */
const REQUEST_MS = 10_000;
const IDLE_MS = 15_000;
const HEADER_BYTES_MAX = 16 * 1024;

/** @throws {IsobatchError} `invalid_input` if the address is unavailable */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { source, tls, log } = options;
  const loopback = isLoopback(options.address);
  const feed = createFeed(source);
  const streams = createStreams(source, feed);
  const metrics = createRunMetrics(source);
  const guard = createGuard({ verify: options.verify, loopback, secure: tls !== undefined });
  const { joinCommand } = options;
  const handle = createRoutes({ source, streams, metrics, assets: loadAssets(), guard, joinCommand });
  const answer: RequestListener = (request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return;
      log.error({ err: error, path: pathOf(request) }, "the dashboard failed");
      response.destroy();
    });
  };

  let server: Server;
  let address: Address;
  const listen = (at: Address): Promise<Address> => {
    const limits = {
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    };
    server = tls === undefined ? createServer(limits, answer) : createTlsServer({ ...limits, ...tls }, answer);
    server.maxConnections = CONNECTIONS_MAX;
    return listenAt(server, at);
  };
  try {
    try {
      address = await listen(options.address);
    } catch (error) {
      if (!options.orAnyPort) throw error;
      address = await listen({ ...options.address, port: 0 });
    }
  } catch (error) {
    feed.close();
    metrics.close();
    throw error;
  }
  guard.listensAt(address.port);

  return {
    url: `${tls === undefined ? "http" : "https"}://${formatAddress(nameOf(address))}/`,
    address,
    async close() {
      streams.close();
      feed.close();
      metrics.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      // Streams have been ended; connections that don't read that are closed.
      const force = setTimeout(() => server.closeAllConnections(), 500);
      await closed;
      clearTimeout(force);
    },
  };
}

/** The address for browsers; a listener on every address of a machine is reached by the machine's name. */
function nameOf({ host, port }: Address): Address {
  return { host: host === "0.0.0.0" || host === "::" ? hostname() : host, port };
}

function listenAt(server: Server, { host, port }: Address): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, { host, port })));
    server.listen(port, host, () => resolve({ host, port: (server.address() as AddressInfo).port }));
  });
}

function pathOf(request: IncomingMessage): string {
  return request.url?.split("?")[0] ?? "";
}
