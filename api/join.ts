import { readCertificateFiles } from "../shared/credentials/index.js";
import { IsobatchError, invalid } from "../shared/errors.js";
import { parseAddress, trustOf } from "../shared/wire/index.js";
import { type RunningWorker, startWorker, type WorkerOutcome } from "../worker/index.js";
import { createRecordLog } from "./logging.js";
import { checkOptions, checkText } from "./options.js";
import { checkSignal, interrupted, onSignal } from "./run/abort.js";
import type { JoinedWorker, JoinOptions, WorkerResult } from "./types/worker.js";
import { CONNECT_WAIT_SECONDS, checkNotSentAway, RECONNECT_WAIT_SECONDS, workerSettings } from "./worker-settings.js";

/** A worker in this process, until its run ends or it leaves. */
export async function join(address: string, options: JoinOptions): Promise<JoinedWorker> {
  checkText("The server's address", address);
  checkOptions("join", options);
  const { signal, token, gpu, computeThreads, data: dataFolder, transport, settings = {}, tls = {} } = options;
  const { waitSeconds = CONNECT_WAIT_SECONDS, reconnectSeconds = RECONNECT_WAIT_SECONDS } = options;
  if (typeof token !== "string")
    invalid("join() needs the run's token; serve() gives it, and isobatch server prints it.");
  checkSignal(signal, "The worker");
  const backend = options.backend ?? (gpu === undefined ? undefined : "tfjs-node-gpu");
  if (gpu !== undefined && backend !== "tfjs-node-gpu") {
    invalid(`--gpu is ${gpu}, but --backend is ${backend}, which computes on no GPU; leave one of them out.`);
  }
  const log = createRecordLog(options, "info");
  const files = { tlsCert: tls.certFile, tlsKey: tls.keyFile, tlsCa: tls.caFile };
  const trust = trustOf(token, readCertificateFiles(files, Date.now()));
  const worker = await startWorker({
    address: parseAddress(address, "The server's address"),
    token,
    trust,
    backend,
    gpu,
    computeThreads,
    dataFolder,
    log,
    ...workerSettings(transport, settings),
    connectWaitMs: waitSeconds * 1_000,
    reconnectWaitMs: reconnectSeconds * 1_000,
  });
  if (signal?.aborted) {
    await worker.stop();
    throw interrupted(signal, "The worker");
  }
  const result = worker.finished.then(resultOf);
  const unlisten = onSignal(signal, () => void worker.leave("interrupted"));
  void result.then(unlisten, unlisten);
  return handleOf(worker, result);
}

function handleOf(worker: RunningWorker, result: Promise<WorkerResult>): JoinedWorker {
  return {
    get id() {
      return worker.workerId;
    },
    get runId() {
      return worker.runId;
    },
    status() {
      const { task, state, step, samples, samplesPerSecond } = worker.activity();
      return { task, state, step, samples, samplesPerSecond };
    },
    result,
    leave: (reason = "left") => worker.leave(reason),
    abort: () => worker.stop(),
  };
}

/** @throws {IsobatchError} `unavailable`, where the worker has not done what it was there for */
function resultOf(outcome: WorkerOutcome): WorkerResult {
  checkNotSentAway(outcome);
  const { ok, reason, message } = outcome;
  if (!ok) throw new IsobatchError("unavailable", `The run has failed: ${message ?? reason}`);
  return { reason };
}
