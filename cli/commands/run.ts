import { train } from "../../index.js";
import { formatAddress } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { starting } from "../interrupts.js";
import { follow, openReport, runOptions, type ServeFlags } from "./serve.js";

/** As commander reads them from the command line. */
export interface RunFlags extends ServeFlags {
  readonly workers?: number;
  readonly backend?: string;
  readonly computeThreads?: number;
}

/** A whole cluster on this machine: the server in this process, each worker in its own. */
export async function run(task: string, flags: RunFlags, environment: Environment): Promise<number> {
  const { workers, backend, computeThreads, http } = flags;
  const report = openReport(environment);
  const options = {
    ...runOptions(flags, environment, report),
    workers,
    backend,
    computeThreads,
    transport: environment.transport,
    dashboard: http ? formatAddress(http) : (false as const),
  };
  const started = await starting(train(task, options));
  return follow(started, report, { workersStarted: started.workersStarted });
}
