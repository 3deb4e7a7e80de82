import { hostname, networkInterfaces } from "node:os";
import { type Address, formatAddress, isLoopback } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { httpByDefault } from "./http-options.js";
import { joinTokenFile } from "./run-folder.js";
import { type ServeOptions, serve } from "./serve.js";

export interface ServerOptions extends ServeOptions {
  readonly workersAwaited: number;
}

/** The server alone; workers join it from wherever they are. */
export function server(task: string, options: ServerOptions, environment: Environment): Promise<number> {
  const joinCommand = (at: Address, token: string | undefined): string => joinLine(at, token, options);
  const accompaniment = { ...options, workersWait: true, dashboard: httpByDefault(options), joinCommand };
  return serve(task, accompaniment, environment, ({ server: { address, security }, out, display, log }) => {
    if (security.tls === undefined && !isLoopback(options.listen)) {
      log.warn("the connections of this server are not encrypted: whoever can listen on the network learns the token");
    }
    const { joinToken, joinTokenIsNew } = security;
    display.print("workers join with");
    // The token itself is shown once, at the first start; after that its file is named.
    const shown = joinTokenIsNew || joinToken === undefined ? joinToken : `$(cat ${joinTokenFile(out)})`;
    display.print(`  ${joinCommand(address, shown)}`);
    return { failed: new Promise<never>(() => {}), stop: async () => {} };
  });
}

/** The command for workers. */
function joinLine(at: Address, token: string | undefined, { advertise, tlsCert, tlsCa }: ServerOptions): string {
  const command = `isobatch worker join ${formatAddress(advertise ?? reachable(at))}`;
  const mutual = tlsCa === undefined ? "" : " --tls-cert FILE --tls-key FILE";
  const files = tlsCert === undefined ? mutual : ` --tls-ca FILE${mutual}`;
  if (token === undefined) return `${command} --token-file FILE${files} (isobatch token create makes one)`;
  return `ISOBATCH_TOKEN=${token} ${command}${files}`;
}

/** An address for others: one of this machine's where the server listens on all of them. */
function reachable({ host, port }: Address): Address {
  if (host !== "0.0.0.0" && host !== "::") return { host, port };
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outward = addresses.find(({ internal, family }) => !internal && family === "IPv4");
  return { host: outward?.address ?? hostname(), port };
}
