import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { requireToken } from "../credentials/index.js";
import { IsobatchError, messageOf } from "../errors.js";
import { type Address, formatAddress } from "./address.js";
import { SERVER_OPTIONS } from "./channel.js";
import { tuneHttp2 } from "./http2-server.js";

export interface WireServer {
  /** Typed by `CoordinatorHandlers` and `ShardHandlers`. All services are added before `listen`. */
  addService(service: ServiceDefinition, handlers: UntypedServiceImplementation): void;
  /** What `grpc.health.v1` answers for the whole server and for each service; not serving until told. */
  setServing(serving: boolean): void;
  /**
   * Listens, and resolves to the address with the port that was taken if `address` asks for any (port 0).
   *
   * @throws IsobatchError `invalid_input` if the port is in use or the address is none of this machine's.
   */
  listen(address: Address): Promise<Address>;
  /** Accepts no more calls, waits at most `graceMs` for those in flight, then drops them. */
  shutdown(graceMs: number): Promise<void>;
}

/**
 * A gRPC server with the limits and timers of this project and a health service. With a `token`, every call but
 * those to the health service must carry it. Without `credentials` nothing is encrypted.
 */
export function createServer({
  token,
  credentials = ServerCredentials.createInsecure(),
}: {
  token?: string;
  credentials?: ServerCredentials;
}): WireServer {
  // What grpc-js would print on standard error comes to us as errors and is reported once, in our words.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({ ...SERVER_OPTIONS, interceptors: token === undefined ? [] : [requireToken(token)] });
  const http2 = tuneHttp2(server);
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
    listen(address) {
      return new Promise((resolve, reject) => {
        server.bindAsync(formatAddress(address), credentials, (error, port) => {
          if (error) reject(listenError(error, address));
          else resolve({ host: address.host, port });
        });
      });
    },
    shutdown(graceMs) {
      return new Promise((resolve) => {
        const force = setTimeout(() => {
          server.forceShutdown();
          http2.destroySessions();
        }, graceMs);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      });
    },
  };
}

/** Why nobody can listen there, as a sentence that says what to do. */
export function listenError(error: Error, address: Address): IsobatchError {
  const at = formatAddress(address);
  const message = messageOf(error);
  const sentence = message.includes("EADDRINUSE")
    ? `Cannot listen on ${at}: port ${address.port} is in use; stop what listens there or choose another port.`
    : message.includes("EADDRNOTAVAIL")
      ? `Cannot listen on ${at}: ${address.host} is no address of this machine; 0.0.0.0 stands for all of them.`
      : message.includes("EACCES")
        ? `Cannot listen on ${at}: port ${address.port} needs more rights than this user has; choose one above 1023.`
        : /ENOTFOUND|EAI_AGAIN|resol/i.test(message)
          ? `Cannot listen on ${at}: the name ${address.host} cannot be looked up.`
          : `Cannot listen on ${at}: ${message}.`;
  return new IsobatchError("invalid_input", sentence, { cause: error });
}
