import { join } from "node:path";
import { SECURITY_FOLDER, type ServerOptions, type TlsRequest } from "../../server/index.js";
import { startChild } from "../children/child.js";
import { passOn } from "../logging.js";
import type { ShardOrder } from "../programs/orders.js";
import type { Logging } from "../types/log.js";
import type { RunOptions } from "../types/run.js";

export interface ShardSpawnerOptions extends Pick<RunOptions, "settings" | "trace" | "tls">, Logging {
  /** The run directory. */
  readonly out: string;
  /** How the first process proves itself; the others show workers the same certificate. */
  readonly request: TlsRequest;
}

/** Starts the processes of the shards beyond the first. */
export function shardSpawner(options: ShardSpawnerOptions): ServerOptions["spawnShard"] {
  const { out, settings, trace, logLevel = "warn", onLog } = options;
  const certificate = certificateOf(options);
  return ({ index, coordinator, listen, token }) => {
    const order: ShardOrder = { index, coordinator, listen, token, out, certificate, logLevel, trace };
    const { exited, kill } = startChild({
      program: "shard",
      order,
      number: index,
      settings,
      onLog: (record) => passOn(onLog, record, `shard ${index}`),
    });
    return { exited: exited.then(({ reason }) => reason.replace(/\.$/, "")), kill };
  };
}

function certificateOf({ request, tls, out }: ShardSpawnerOptions): ShardOrder["certificate"] {
  if (request.kind === "none") return undefined;
  const { certFile, keyFile, clientCaFile } = typeof tls === "object" ? tls : {};
  const own = (name: string): string => join(out, SECURITY_FOLDER, name);
  return { tlsCert: certFile ?? own("server.crt"), tlsKey: keyFile ?? own("server.key"), tlsCa: clientCaFile };
}
