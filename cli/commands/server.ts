import { hostname, networkInterfaces } from "node:os";
import { type Address, formatAddress, isLoopback } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { httpByDefault } from "./http-options.js";
import { type ServeOptions, serve } from "./serve.js";

export interface ServerOptions extends ServeOptions {
  readonly advertise?: Address;
  readonly workersAwaited: number;
}

/** The server alone; workers join it from wherever they are. */
export function server(task: string, options: ServerOptions, environment: Environment): Promise<number> {
  const joinCommand = (at: Address, token: string): string =>
    `ISOBATCH_TOKEN=${token} isobatch worker join ${formatAddress(options.advertise ?? reachable(at))}`;
  const accompaniment = { ...options, workersWait: true, dashboard: httpByDefault(options), joinCommand };
  return serve(task, accompaniment, environment, ({ server: { address }, token, display, log }) => {
    if (!isLoopback(options.listen)) {
      log.warn("the connections of this server are not encrypted: whoever can listen on the network learns the token");
    }
    display.print("workers join with");
    display.print(`  ${joinCommand(address, token)}`);
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
