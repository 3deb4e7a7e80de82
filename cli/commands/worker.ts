import { join } from "../../index.js";
import { awaited } from "../../shared/awaited.js";
import { type CertificatePaths, readToken } from "../../shared/credentials/index.js";
import { invalid } from "../../shared/errors.js";
import { type Address, formatAddress } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts, starting } from "../interrupts.js";
import { openLog, relayRecord } from "../log.js";

/** As commander reads them from the command line. */
export interface JoinFlags extends CertificatePaths {
  readonly backend?: string;
  readonly gpu?: number;
  readonly computeThreads?: number;
  readonly data?: string;
  readonly tokenFile?: string;
  /** "-": standard input. */
  readonly token?: "-";
  /** In seconds, as is `reconnectFor`. */
  readonly wait: number;
  readonly reconnectFor: number;
}

/** A lease that takes longer is given up: whoever asked this process to end will not wait for ever. */
const LEAVE_MS = 25_000;

/** A worker, until its run ends or it leaves; resolves with the process's exit code. */
export async function joinWorker(address: Address, flags: JoinFlags, environment: Environment): Promise<number> {
  const { backend, gpu, computeThreads, data, wait, reconnectFor, tlsCa, tlsCert, tlsKey } = flags;
  const log = openLog(environment, "info");
  const token = readToken({
    env: environment.token,
    file: flags.tokenFile,
    stdin: flags.token === "-" ? 0 : undefined,
  });
  if (token === undefined) {
    invalid("There is no token: set ISOBATCH_TOKEN or give --token-file; the server printed it at its first start.");
  }
  const worker = await starting(
    join(formatAddress(address), {
      ...{ token, backend, gpu, computeThreads, data, waitSeconds: wait, reconnectSeconds: reconnectFor },
      tls: { caFile: tlsCa, certFile: tlsCert, keyFile: tlsKey },
      ...{ transport: environment.transport, settings: environment.variables },
      ...{ logLevel: environment.logLevel ?? "info", onLog: (record) => relayRecord(log, record) },
    }),
  );

  const names = () => ({ run: worker.runId, worker: worker.id });
  let exitCode = 0;
  let overdue: NodeJS.Timeout | undefined;
  const leave = (reason: string): void => {
    overdue = setTimeout(() => void worker.abort(), LEAVE_MS);
    void worker.leave(reason);
  };
  const stopLeaving = onInterrupts({
    interrupt() {
      exitCode = EXIT_INTERRUPTED;
      log.info(names(), "leaving after the present lease; press Ctrl-C again to stop at once");
      leave("interrupted");
    },
    abort: () => process.exit(EXIT_INTERRUPTED),
    terminate() {
      log.info(names(), "leaving after the present lease");
      leave("terminated");
    },
  });
  await awaited("the worker to end", worker.result).finally(() => {
    clearTimeout(overdue);
    stopLeaving();
  });
  return exitCode;
}
