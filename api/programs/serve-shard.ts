import { startShard } from "../../server/index.js";
import { readCertificateFiles } from "../../shared/credentials/index.js";
import { memoryOptions } from "../memory-options.js";
import type { Settings } from "../types/run.js";
import { openProgramLog } from "./log.js";
import type { ShardOrder } from "./orders.js";
import { joinTraceOf } from "./trace.js";

/** One of a server's further processes; resolves with its exit code. */
export async function serveShard(order: ShardOrder, settings: Settings): Promise<number> {
  const { index, coordinator, listen, token, out, certificate = {}, logLevel, trace } = order;
  const log = openProgramLog(logLevel);
  joinTraceOf(trace, `shard ${index}`, log);
  const { cert, key, ca: clientCa } = readCertificateFiles(certificate, Date.now());
  const tls = cert !== undefined && key !== undefined ? { cert, key, clientCa } : undefined;
  const memory = memoryOptions("auto", settings);
  const running = await startShard({ index, coordinator, out, listen, token, tls, memory, log });
  await running.finished;
  return 0;
}
