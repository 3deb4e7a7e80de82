import { startShard } from "../../server/index.js";
import { type CertificatePaths, readCertificateFiles, readToken } from "../../shared/credentials/index.js";
import { invalid } from "../../shared/errors.js";
import type { Address } from "../../shared/wire/index.js";
import { followParent } from "../children/parent.js";
import type { Environment } from "../environment.js";
import { openLog } from "../log.js";
import { memoryOptions } from "../transport.js";

export interface ShardOptions extends CertificatePaths {
  readonly index: number;
  readonly coordinator: Address;
  readonly out: string;
  readonly listen: Address;
}

/** One of a server's further processes, started by the first. */
export async function shard(options: ShardOptions, environment: Environment): Promise<number> {
  followParent();
  const token = readToken({ env: environment.token }) ?? invalid("ISOBATCH_TOKEN is missing; a shard needs it.");
  const { cert, key, ca: clientCa } = readCertificateFiles(options, Date.now());
  const tls = cert !== undefined && key !== undefined ? { cert, key, clientCa } : undefined;
  const { index, coordinator, out, listen } = options;
  const log = openLog(environment, "info");
  const memory = memoryOptions(environment);
  const running = await startShard({ index, coordinator, out, listen, token, tls, memory, log });
  await running.finished;
  return 0;
}
