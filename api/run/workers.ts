import { chooseBackend } from "../../backends/index.js";
import { readBackendSettings, readGraphics, unavailability, visibleDevices } from "../../backends/machine/index.js";
import type { RunningServer } from "../../server/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { availableCores } from "../../shared/machine/index.js";
import { localAddressOf } from "../../shared/wire/index.js";
import { startChild } from "../children/child.js";
import { superviseWorkers } from "../children/supervisor.js";
import { passOn } from "../logging.js";
import { checkWhole } from "../options.js";
import type { WorkerOrder } from "../programs/orders.js";
import type { TrainOptions } from "../types/run.js";
import type { Workforce } from "./training-run.js";
import { type PlannedWorker, planWorkers } from "./worker-plan.js";

const WORKERS_MAX = 256;
const THREADS_MAX = 256;

/**
 * Which workers a run on this machine has.
 * @throws {IsobatchError} `invalid_input`, or `unavailable` if the backend that was asked for does not work here
 */
export async function planLocalWorkers(options: TrainOptions): Promise<PlannedWorker[]> {
  const { workers, computeThreads } = options;
  checkWhole("workers", workers, WORKERS_MAX);
  checkWhole("computeThreads", computeThreads, THREADS_MAX);
  return planWorkers({
    workers,
    computeThreads,
    backend: await backendOf(options),
    cores: availableCores(),
    graphics: readGraphics(),
    visibleDevices: visibleDevices(),
  });
}

/**
 * One that was asked for is tried here: otherwise each worker would find out, when there is a run directory already. So is a GPU's, of
 * which there is one per worker. The backends that come with Isobatch work everywhere.
 */
async function backendOf({ backend, settings = {} }: TrainOptions) {
  const backendSettings = readBackendSettings(settings);
  if (backend === undefined && unavailability("tfjs-node-gpu", backendSettings) !== undefined) return undefined;
  if (backend === "wasm" || backend === "cpu") return backend;
  return chooseBackend(backend, { info() {} }, backendSettings);
}

export function startLocalWorkers(
  server: RunningServer,
  plan: readonly PlannedWorker[],
  { settings, transport = "auto", logLevel = "warn", onLog, trace }: TrainOptions,
  notice: (message: string) => void,
): Workforce {
  // Not the join token, which is for others and may be revoked.
  const token = server.security.passFor("run", "worker");
  const address = localAddressOf(server.address);
  const supervisor = superviseWorkers({
    count: plan.length,
    start: (number) => {
      const order: WorkerOrder = { address, token, transport, logLevel, trace, ...plan[number - 1] };
      const onRecord = (record: Readonly<Record<string, unknown>>): void => passOn(onLog, record, `worker ${number}`);
      return startChild({ program: "worker", order, number, settings, onLog: onRecord });
    },
    worked: ({ processId }) => processId !== undefined && server.hasWorked(processId),
    notice,
  });
  return {
    count: plan.length,
    failed: supervisor.gaveUp.then((reason) => {
      // A worker that comes back when all is done is refused, which harms nobody.
      if (server.status().phase === "ended") return new Promise<never>(() => {});
      throw new IsobatchError("unavailable", `No worker is left. ${reason}`);
    }),
    stop: (graceMs) => supervisor.stop(graceMs),
  };
}
