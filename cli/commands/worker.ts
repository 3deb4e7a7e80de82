import { join } from "../../index.js";
import { awaited } from "../../shared/awaited.js";
import { type CertificatePaths, readToken } from "../../shared/credentials/index.js";
import { invalid } from "../../shared/errors.js";
import { type Address, formatAddress } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts, starting } from "../interrupts.js";
import { openWorkerTerminal } from "../progress/worker-line.js";

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

/** A lease that takes longer is given up: a person or an orchestrator that stops this process will not wait longer. */
const LEAVE_MS = 25_000;

/** A worker, until its run ends or it leaves; resolves with the process's exit code. */
export async function joinWorker(address: Address, flags: JoinFlags, environment: Environment): Promise<number> {
  const { backend, gpu, computeThreads, data, wait, reconnectFor, tlsCa, tlsCert, tlsKey } = flags;
  const token = readToken({
    env: environment.token,
    file: flags.tokenFile,
    stdin: flags.token === "-" ? 0 : undefined,
  });
  if (token === undefined) {
    invalid("There is no token: set ISOBATCH_TOKEN or give --token-file; the server printed it at its first start.");
  }
  const terminal = openWorkerTerminal(environment);
  const place = formatAddress(address);
  terminal.announce(`joining the run at ${place}`);
  const worker = await starting(
    join(place, {
      token,
      backend,
      gpu,
      computeThreads,
      data,
      waitSeconds: wait,
      reconnectSeconds: reconnectFor,
      tls: { caFile: tlsCa, certFile: tlsCert, keyFile: tlsKey },
      transport: environment.transport,
      settings: environment.variables,
      logLevel: environment.logLevel ?? "info",
      onLog: terminal.onLog,
    }),
  ).catch((error: unknown) => {
    terminal.close();
    throw error;
  });
  terminal.show(() => worker.status());

  const note = (message: string): void => {
    const fields = { run: worker.runId, worker: worker.id };
    terminal.onLog({ level: "info", at: new Date().toISOString(), message, fields });
  };
  let exitCode = 0;
  let overdue: NodeJS.Timeout | undefined;
  const leave = (reason: string): void => {
    overdue = setTimeout(() => void worker.abort(), LEAVE_MS);
    void worker.leave(reason);
  };
  const stopLeaving = onInterrupts({
    interrupt() {
      exitCode = EXIT_INTERRUPTED;
      note("leaving after the current lease; press Ctrl-C again to stop at once");
      leave("interrupted");
    },
    abort: () => process.exit(EXIT_INTERRUPTED),
    terminate() {
      note("leaving after the current lease");
      leave("terminated");
    },
  });
  await awaited("the worker to end", worker.result).finally(() => {
    clearTimeout(overdue);
    stopLeaving();
    terminal.close();
  });
  return exitCode;
}
