import { chooseBackend } from "../../backends/index.js";
import { unavailability } from "../../backends/tensorflow/availability.js";
import { readGraphics } from "../../backends/tensorflow/graphics.js";
import { IsobatchError } from "../../shared/errors.js";
import { createLog } from "../../shared/log.js";
import { availableCores } from "../../shared/machine/index.js";
import { type Address, formatAddress, fromHere } from "../../shared/wire/index.js";
import { startChild } from "../children/child.js";
import { superviseWorkers } from "../children/supervisor.js";
import type { Environment } from "../environment.js";
import { relayLog } from "../log.js";
import { type PlannedWorker, planWorkers } from "../worker-plan.js";
import { httpAddress } from "./http-options.js";
import { joinCommand } from "./join-lines.js";
import { type Company, type ServeOptions, type Serving, serve, traceArguments } from "./serve.js";

export interface RunOptions extends ServeOptions {
  readonly workers?: number;
  readonly backend?: string;
  readonly computeThreads?: number;
}

/** A whole cluster on this machine: the server in this process, each worker in one of its own. */
export async function run(task: string, options: RunOptions, environment: Environment): Promise<number> {
  const { backend } = options;
  const { backendSettings } = environment;
  // One that was asked for is tried here: otherwise each worker would find out, when there is a run directory already.
  // So is a GPU's, of which there is one a worker.
  const mayTakeGpu = backend === undefined && unavailability("tfjs-node-gpu", backendSettings) === undefined;
  const chosen =
    backend !== undefined || mayTakeGpu
      ? await chooseBackend(backend, createLog({ level: "silent", pretty: false }), backendSettings)
      : undefined;
  const plan = planWorkers({
    ...options,
    backend: chosen,
    cores: availableCores(),
    graphics: readGraphics(),
    visibleDevices: environment.variables.CUDA_VISIBLE_DEVICES,
  });
  const shown = { program: environment.command, ownCertificate: false, mutual: false };
  const accompaniment = {
    workersAwaited: plan.length,
    workersStarted: plan.length,
    workersWait: false,
    dashboard: httpAddress(options),
    joinCommand: (at: Address, token = "…") => joinCommand({ ...shown, at }, token),
  };
  return serve(task, { ...options, ...accompaniment }, environment, (serving) =>
    startWorkers(serving, plan, traceArguments(options), environment),
  );
}

function startWorkers(
  { server, display, log }: Serving,
  plan: readonly PlannedWorker[],
  otherArguments: readonly string[],
  { variables, logLevel }: Environment,
): Company {
  // A token of their own: the join token is for others, and may be revoked.
  const token = server.security.passFor("run", "worker");
  const address = formatAddress(fromHere(server.address));
  const supervisor = superviseWorkers({
    count: plan.length,
    start: (number) =>
      startChild({
        args: ["worker", "join", address, "--supervised", ...plan[number - 1].args, ...otherArguments],
        env: { ...variables, ...plan[number - 1].env, ISOBATCH_TOKEN: token, ISOBATCH_LOG: logLevel ?? "warn" },
        onLog: (record) => relayLog(log, `worker ${number}`, record),
      }),
    worked: ({ processId }) => processId !== undefined && server.hasWorked(processId),
    notice: (line) => display.print(line),
  });
  return {
    failed: supervisor.gaveUp.then((reason) => {
      // A worker that comes back when all is done is refused, which harms nobody.
      if (server.status().phase === "ended") return new Promise<never>(() => {});
      throw new IsobatchError("unavailable", `No worker is left. ${reason}`);
    }),
    stop: (graceMs) => supervisor.stop(graceMs),
  };
}
