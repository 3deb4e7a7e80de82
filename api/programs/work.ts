import { showOnly } from "../../backends/machine/index.js";
import { awaited } from "../../shared/awaited.js";
import { IsobatchError } from "../../shared/errors.js";
import { type RunningWorker, startWorker, wouldRepeat } from "../../worker/index.js";
import type { Settings } from "../types/run.js";
import { CONNECT_WAIT_SECONDS, checkNotSentAway, RECONNECT_WAIT_SECONDS, workerSettings } from "../worker-settings.js";
import { openProgramLog } from "./log.js";
import type { WorkerOrder } from "./orders.js";
import { joinTraceOf } from "./trace.js";

/** A lease that takes longer is given up: the parent does not wait forever. */
const LEAVE_MS = 25_000;

/** A worker until its run ends or SIGTERM comes; resolves with its exit code. */
export async function work(order: WorkerOrder, settings: Settings): Promise<number> {
  const { address, token, backend, computeThreads, transport, visibleDevices, logLevel, trace } = order;
  if (visibleDevices !== undefined) showOnly(visibleDevices);
  const log = openProgramLog(logLevel);
  joinTraceOf(trace, "worker", log);
  const endAtOnce = (): void => process.exit(0);
  process.on("SIGTERM", endAtOnce);
  let worker: RunningWorker;
  try {
    worker = await startWorker({
      address,
      token,
      backend,
      computeThreads,
      log,
      ...workerSettings(transport, settings),
      connectWaitMs: order.connectWaitMs ?? 1_000 * CONNECT_WAIT_SECONDS,
      reconnectWaitMs: 1_000 * RECONNECT_WAIT_SECONDS,
    });
  } catch (error) {
    throw final(error);
  }
  process.off("SIGTERM", endAtOnce);

  let overdue: NodeJS.Timeout | undefined;
  process.once("SIGTERM", () => {
    log.info({ run: worker.runId, worker: worker.workerId }, "leaving after the current lease");
    overdue = setTimeout(() => void worker.stop(), LEAVE_MS);
    void worker.leave("terminated");
  });
  try {
    checkNotSentAway(await awaited("the worker to end", worker.finished));
    // Why a run has failed, the parent knows.
    return 0;
  } catch (error) {
    throw final(error);
  } finally {
    clearTimeout(overdue);
  }
}

/**
 * The error, as wrong input if starting this process again could only repeat it: a server that refuses it, a library that
 * hangs, a lack of memory, or a wrong computation.
 */
function final(error: unknown): unknown {
  if (!(error instanceof IsobatchError) || !(error.code === "refused" || wouldRepeat(error))) return error;
  return new IsobatchError("invalid_input", error.message, { cause: error });
}
