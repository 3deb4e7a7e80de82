import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { Gate } from "../credentials/index.js";
import { IsobatchError, messageOf } from "../errors.js";
import { type Address, formatAddress } from "./address.js";
import { admitCalls, bearer } from "./admission.js";
import { CONNECTIONS_MAX, HANDSHAKE_MS, SERVER_OPTIONS, SILENCE_MS, STRANGER_MS } from "./channel.js";
import { type ServerLimits, tuneHttp2 } from "./http2-server.js";
import { reuseServerMemory } from "./reuse.js";

export interface WireServer {
  /** Typed by `CoordinatorHandlers` and `ShardHandlers`. All services are added before `listen`. */
  addService(service: ServiceDefinition, handlers: UntypedServiceImplementation): void;
  /** Sets what `grpc.health.v1` answers for the whole server and for each service; at first not serving. */
  setServing(serving: boolean): void;
  /**
   * Listens, and resolves with the address; its port is the actual one if `address` asks for any (port 0).
   *
   * @param plain without TLS even if the server has a certificate: for processes on this machine, on loopback
   * @throws IsobatchError `invalid_input` if the port is in use or the address is not one of this machine's.
   */
  listen(address: Address, plain?: "plain"): Promise<Address>;
  /** Accepts no more calls, waits at most `graceMs` for those in flight, then drops them. */
  shutdown(graceMs: number): Promise<void>;
}

/** A server's certificate. All three are PEM. */
export interface ServerTls {
  readonly key: string;
  /** The server's certificate, then the chain to its CA; a server with its own CA includes that too. */
  readonly cert: string;
  /** The CA of client certificates, which all clients must then have: mutual TLS. */
  readonly clientCa?: string;
}

export interface CreateServerOptions {
  /** Decides who may call what. Without it everyone may call everything. */
  readonly gate?: Gate;
  /** Without it nothing is encrypted. */
  readonly tls?: ServerTls;
  readonly limits?: Partial<ServerLimits>;
}

/**
 * A gRPC server with the limits and timers of this project and a health service. With a gate, every call except those
 * to the health service must carry a token that it admits.
 */
export function createServer({ gate, tls, limits }: CreateServerOptions = {}): WireServer {
  // What grpc-js would print on standard error also reaches us as errors, which are reported once, in our words.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    ...SERVER_OPTIONS,
    interceptors: [reuseServerMemory, ...(gate === undefined ? [] : [admitCalls(gate)])],
  });
  const http2 = tuneHttp2(
    server,
    {
      connectionsMax: CONNECTIONS_MAX,
      handshakeMs: HANDSHAKE_MS,
      strangerMs: STRANGER_MS,
      silenceMs: SILENCE_MS,
      ...limits,
    },
    gate && ((authorization) => bearer(gate, authorization).admitted),
  );
  const credentials = tls === undefined ? ServerCredentials.createInsecure() : secure(tls);
  const services = [""];
  const health = new HealthImplementation({ "": "NOT_SERVING" });
  health.addToServer(server);

  return {
    addService(service, handlers) {
      server.addService(service, handlers);
      const [method] = Object.values(service);
      services.push(method.path.split("/")[1]);
      health.setStatus(services[services.length - 1], "NOT_SERVING");
    },
    setServing(serving) {
      for (const service of services) health.setStatus(service, serving ? "SERVING" : "NOT_SERVING");
    },
    listen(address, plain) {
      const secured = plain === undefined ? credentials : ServerCredentials.createInsecure();
      return new Promise((resolve, reject) => {
        server.bindAsync(formatAddress(address), secured, (error, port) => {
          if (error) reject(listenError(error, address));
          else resolve({ host: address.host, port });
        });
      });
    },
    async shutdown(graceMs) {
      let grace: NodeJS.Timeout | undefined;
      // tryShutdown may never end: it waits for a session that was destroyed and is not closed yet, such as one whose
      // peer is gone.
      const inPeace = await Promise.race([
        new Promise<true>((resolve) => server.tryShutdown(() => resolve(true))),
        new Promise<false>((resolve) => {
          grace = setTimeout(() => resolve(false), graceMs);
        }),
      ]);
      clearTimeout(grace);
      if (inPeace) return;
      server.forceShutdown();
      await http2.destroyConnections();
    },
  };
}

function secure({ key, cert, clientCa }: ServerTls): ServerCredentials {
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
  return ServerCredentials.createSsl(clientCa ? Buffer.from(clientCa) : null, [pair], clientCa !== undefined);
}

/** Why listening there failed, as a sentence that says what to do. */
export function listenError(error: Error, address: Address): IsobatchError {
  const at = formatAddress(address);
  const message = messageOf(error);
  const sentence = message.includes("EADDRINUSE")
    ? `Cannot listen on ${at}: port ${address.port} is in use; stop what listens there or choose another port.`
    : message.includes("EADDRNOTAVAIL")
      ? `Cannot listen on ${at}: ${address.host} is not an address of this machine; 0.0.0.0 stands for all of them.`
      : message.includes("EACCES")
        ? `Cannot listen on ${at}: port ${address.port} requires privileges that this user does not have; choose one above 1023.`
        : /ENOTFOUND|EAI_AGAIN|resol/i.test(message)
          ? `Cannot listen on ${at}: the name ${address.host} cannot be looked up.`
          : `Cannot listen on ${at}: ${message}.`;
  return new IsobatchError("invalid_input", sentence, { cause: error });
}
