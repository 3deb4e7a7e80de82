import type { Address } from "../shared/wire/index.js";
import { addressOption } from "./addresses.js";
import { checkOptions } from "./options.js";
import { joinCommand } from "./run/join-command.js";
import { startRun } from "./run/start-run.js";
import { planLocalWorkers, startLocalWorkers } from "./run/workers.js";
import type { TrainingRun, TrainOptions } from "./types/run.js";
import type { TaskSource } from "./types/task.js";

/** A whole cluster on this machine: the server in this process, each worker in another one. */
export async function train(task: TaskSource, options: TrainOptions): Promise<TrainingRun> {
  checkOptions("train", options);
  const { dashboard = false, command = "isobatch" } = options;
  const plan = await planLocalWorkers(options);
  const http = dashboard === false ? undefined : addressOption("dashboard", dashboard);
  const place = { program: command, ownCertificate: false, mutual: false };
  const { run } = await startRun(task, options, {
    listen: addressOption("listen", options.listen) ?? { host: "127.0.0.1", port: 0 },
    dashboard: http && { address: http },
    joinCommand: (at: Address, token = "…") => joinCommand({ ...place, at }, token),
    workersAwaited: plan.length,
    transport: options.transport,
    startWorkers: (server, notice, trace) => startLocalWorkers(server, plan, { ...options, trace }, notice),
  });
  return run;
}
