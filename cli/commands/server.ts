import { hostname, networkInterfaces } from "node:os";
import { type Address, formatAddress } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { isLoopback } from "../option-values.js";
import { type ServeOptions, serve } from "./serve.js";

export interface ServerOptions extends ServeOptions {
  readonly advertise?: Address;
  readonly workersAwaited: number;
}

/** The server alone; workers join it from wherever they are. */
export function server(task: string, options: ServerOptions, environment: Environment): Promise<number> {
  return serve(task, { ...options, workersWait: true }, environment, ({ server: { address }, token, display, log }) => {
    if (!isLoopback(options.listen)) {
      log.warn("the connections of this server are not encrypted: whoever can listen on the network learns the token");
    }
    const reachedAt = options.advertise ?? reachable(address);
    display.print("workers join with");
    display.print(`  ISOBATCH_TOKEN=${token} isobatch worker join ${formatAddress(reachedAt)}`);
    return { failed: new Promise<never>(() => {}), stop: async () => {} };
  });
}

/** An address for others: one of this machine's where the server listens on all of them. */
function reachable({ host, port }: Address): Address {
  if (host !== "0.0.0.0" && host !== "::") return { host, port };
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outward = addresses.find(({ internal, family }) => !internal && family === "IPv4");
  return { host: outward?.address ?? hostname(), port };
}
