import { availableParallelism } from "node:os";
import { IsobatchError } from "../../shared/errors.js";
import { createLog } from "../../shared/log.js";
import { formatAddress } from "../../shared/wire/index.js";
import { chooseBackend } from "../../worker/backends/index.js";
import { startChild } from "../children/child.js";
import { superviseWorkers } from "../children/supervisor.js";
import type { Environment } from "../environment.js";
import { relayLog } from "../log.js";
import { type Company, type ServeOptions, type Serving, serve } from "./serve.js";

export interface RunOptions extends ServeOptions {
  readonly workers: number;
  readonly backend?: string;
  readonly computeThreads?: number;
}

/** A whole cluster on this machine: the server in this process, each worker in one of its own. */
export async function run(task: string, options: RunOptions, environment: Environment): Promise<number> {
  const { workers, backend, computeThreads = Math.max(1, Math.floor(availableParallelism() / workers)) } = options;
  // Otherwise each worker would find out, when there is a run directory already.
  if (backend !== undefined) await chooseBackend(backend, createLog({ level: "silent", pretty: false }));
  const args = ["--compute-threads", String(computeThreads), ...(backend === undefined ? [] : ["--backend", backend])];

  return serve(task, { ...options, workersAwaited: workers }, environment, (serving) =>
    startWorkers(serving, workers, args, environment),
  );
}

function startWorkers(
  { server, token, display, log }: Serving,
  count: number,
  args: readonly string[],
  { variables, logLevel }: Environment,
): Company {
  const supervisor = superviseWorkers({
    count,
    start: (number) =>
      startChild({
        args: ["worker", "join", formatAddress(server.address), "--supervised", ...args],
        env: { ...variables, ISOBATCH_TOKEN: token, ISOBATCH_LOG: logLevel ?? "warn" },
        onLog: (record) => relayLog(log, `worker ${number}`, record),
      }),
    notice: (line) => display.print(line),
  });
  return {
    failed: supervisor.gaveUp.then((reason) => {
      // A worker that comes back when all is done is refused, which harms nobody.
      if (server.status().phase === "ended") return new Promise<never>(() => {});
      throw new IsobatchError("unavailable", reason);
    }),
    stop: (graceMs) => supervisor.stop(graceMs),
  };
}
