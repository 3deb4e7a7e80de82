import { hostname, networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { type Address, isLoopback } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { httpByDefault } from "./http-options.js";
import { type JoinPlace, type JoinToken, joinCommand, joinLines } from "./join-lines.js";
import { joinTokenFile } from "./run-folder.js";
import { type ServeOptions, serve } from "./serve.js";

export interface ServerOptions extends ServeOptions {
  readonly workersAwaited: number;
}

/** The server alone; workers join it from wherever they are. */
export function server(task: string, options: ServerOptions, environment: Environment): Promise<number> {
  const { advertise, tlsCert, tlsCa, tokenFile } = options;
  const placeAt = (at: Address): JoinPlace => ({
    program: environment.command,
    at: advertise ?? reachable(at),
    ownCertificate: tlsCert !== undefined,
    mutual: tlsCa !== undefined,
  });
  const accompaniment = {
    workersStarted: 0,
    workersWait: true,
    dashboard: httpByDefault(options),
    joinCommand: (at: Address, token: string | undefined) => joinCommand(placeAt(at), token),
  };
  return serve(task, { ...options, ...accompaniment }, environment, ({ server: started, out, display, log }) => {
    const { address, security } = started;
    if (security.tls === undefined && !isLoopback(options.listen)) {
      log.warn("the connections of this server are not encrypted: whoever can listen on the network learns the token");
    }
    const { joinToken: token, joinTokenIsNew } = security;
    const file = resolve(tokenFile ?? joinTokenFile(out));
    const shown: JoinToken =
      token === undefined
        ? { kind: "none", runFolder: resolve(out) }
        : joinTokenIsNew
          ? { kind: "new", token }
          : { kind: "in file", file };
    for (const { text, isCommand } of joinLines(placeAt(address), shown)) {
      if (isCommand) display.printLine(`  ${text}`);
      else display.print(text);
    }
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
