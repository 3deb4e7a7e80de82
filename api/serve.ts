import { type Address, DEFAULT_PORT, formatAddress, isLoopback } from "../shared/wire/index.js";
import { addressOption, reachable } from "./addresses.js";
import { checkOptions } from "./options.js";
import { joinCommand } from "./run/join-command.js";
import { type RunPlan, startRun } from "./run/start-run.js";
import type { RunServer, ServeOptions } from "./types/run.js";
import type { TaskSource } from "./types/task.js";

/** A server that starts no workers; they join it from wherever they are. */
export async function serve(task: TaskSource, options: ServeOptions): Promise<RunServer> {
  checkOptions("serve", options);
  const { command = "isobatch", tls, tokenFile, stay, workersAwaited = 1 } = options;
  const listen = addressOption("listen", options.listen) ?? { host: "127.0.0.1", port: DEFAULT_PORT };
  const advertise = addressOption("advertise", options.advertise);
  const files = typeof tls === "object" ? tls : {};
  const place = {
    program: command,
    ownCertificate: files.certFile !== undefined,
    mutual: files.clientCaFile !== undefined,
  };
  const placeOf = (at: Address): Address => advertise ?? reachable(at);
  const { run, server, log } = await startRun(task, options, {
    listen,
    advertise,
    tokenFile,
    stay,
    workersAwaited,
    dashboard: dashboardOf(options, listen),
    joinCommand: (at, token) => joinCommand({ ...place, at: placeOf(at) }, token),
  });
  const { security } = server;
  if (security.tls === undefined && !isLoopback(listen)) {
    log.warn("the connections of this server are not encrypted: anyone who can listen on the network learns the token");
  }
  return {
    ...run,
    joinAddress: formatAddress(placeOf(server.address)),
    token: security.joinToken,
    tokenIsNew: security.joinTokenIsNew,
    encrypted: security.tls !== undefined,
  };
}

/** Unless it says otherwise, a server has a dashboard for its own machine, on the port after its own or on any other. */
function dashboardOf({ dashboard }: ServeOptions, { port }: Address): RunPlan["dashboard"] {
  if (dashboard === false) return undefined;
  if (dashboard !== undefined) return { address: addressOption("dashboard", dashboard)! };
  return { address: { host: "127.0.0.1", port: port === 0 || port === 65_535 ? 0 : port + 1 }, orAnyPort: true };
}
