import { awaited } from "../../shared/awaited.js";
import { type CertificatePaths, readToken } from "../../shared/credentials/index.js";
import { IsobatchError, invalid } from "../../shared/errors.js";
import type { Address } from "../../shared/wire/index.js";
import { startWorker, wouldRepeat } from "../../worker/index.js";
import { followParent } from "../children/parent.js";
import type { Environment } from "../environment.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts } from "../interrupts.js";
import { openLog } from "../log.js";
import { memoryOptions } from "../transport.js";
import { clientTrust } from "./client-trust.js";

export interface JoinOptions extends CertificatePaths {
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
  /** It belongs to another process of this machine, which started it. */
  readonly supervised?: boolean;
}

/** A lease that takes longer is given up: whoever asked this process to end will not wait for ever. */
const LEAVE_MS = 25_000;

/** A worker, until its run ends or it leaves; resolves with the process's exit code. */
export async function joinWorker(address: Address, options: JoinOptions, environment: Environment): Promise<number> {
  if (options.supervised) followParent();
  const { gpu, computeThreads, data: dataFolder, wait, reconnectFor } = options;
  const backend = options.backend ?? (gpu === undefined ? undefined : "tfjs-node-gpu");
  if (gpu !== undefined && backend !== "tfjs-node-gpu") {
    invalid(`--gpu is ${gpu}, but --backend is ${backend}, which computes on no GPU; leave one of them out.`);
  }
  const log = openLog(environment, "info");
  const token = readToken({
    env: environment.token,
    file: options.tokenFile,
    stdin: options.token === "-" ? 0 : undefined,
  });
  if (token === undefined) {
    invalid("There is no token: set ISOBATCH_TOKEN or give --token-file; the server printed it at its first start.");
  }
  // A terminal sends Ctrl-C to all processes of a run: only the one that started the others acts on it.
  const onCtrlC = (action: () => void): (() => void) => (options.supervised ? () => {} : action);
  const interrupted = onCtrlC(() => process.exit(EXIT_INTERRUPTED));
  const stopListening = onInterrupts({
    interrupt: interrupted,
    abort: interrupted,
    terminate: () => process.exit(0),
  });
  const worker = await startWorker({
    ...{ address, token, trust: clientTrust(token, options), backend, gpu, computeThreads, dataFolder, log },
    ...{ patienceMs: environment.patienceMs, flip: environment.flip, memory: memoryOptions(environment) },
    backendSettings: environment.backendSettings,
    connectWaitMs: wait * 1_000,
    reconnectWaitMs: reconnectFor * 1_000,
  }).catch((error: unknown) => {
    throw options.supervised ? final(error) : error;
  });
  stopListening();

  const names = () => ({ run: worker.runId, worker: worker.workerId });
  let exitCode = 0;
  let overdue: NodeJS.Timeout | undefined;
  const leave = (reason: string): void => {
    overdue = setTimeout(() => void worker.stop(), LEAVE_MS);
    void worker.leave(reason);
  };
  const stopLeaving = onInterrupts({
    interrupt: onCtrlC(() => {
      exitCode = EXIT_INTERRUPTED;
      log.info(names(), "leaving after the present lease; press Ctrl-C again to stop at once");
      leave("interrupted");
    }),
    abort: interrupted,
    terminate() {
      log.info(names(), "leaving after the present lease");
      leave("terminated");
    },
  });
  const ended = worker.finished.catch((error: unknown) => {
    throw options.supervised ? final(error) : error;
  });
  const { ok, reason, message } = await awaited("the worker to end", ended);
  clearTimeout(overdue);
  stopLeaving();
  if (reason === "sent away")
    throw new IsobatchError("unavailable", `The server gives this worker no more work: ${message}`);
  // Of a failed run the process that started this one tells.
  if (!ok && !options.supervised) throw new IsobatchError("unavailable", `The run has failed: ${message ?? reason}`);
  return exitCode;
}

/**
 * The error, as wrong input if starting this process again could only repeat it: a server that refuses it, a library that
 * hangs, a lack of memory, or a wrong computation.
 */
function final(error: unknown): unknown {
  if (!(error instanceof IsobatchError) || !(error.code === "refused" || wouldRepeat(error))) return error;
  return new IsobatchError("invalid_input", error.message, { cause: error });
}
