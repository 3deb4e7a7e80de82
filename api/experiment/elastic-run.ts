/** A real server and real worker processes, of which there are now more and now fewer. */
import { join } from "node:path";
import { type Summary, startServer } from "../../server/index.js";
import {
  KAPPA_FILE,
  METRICS_FILE,
  type MetricsLine,
  readJsonLines,
  readKappaRecord,
} from "../../server/record/index.js";
import { IsobatchError } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import type { KappaFact } from "../../shared/steps/index.js";
import type { Task } from "../../tasks/index.js";
import { type Child, startChild } from "../children/child.js";
import { passOn } from "../logging.js";
import type { WorkerOrder } from "../programs/orders.js";
import type { Logging } from "../types/log.js";
import type { Settings } from "../types/run.js";

export interface ElasticRunOptions extends Logging {
  readonly task: Task;
  /** The run directory. */
  readonly out: string;
  /** How many there shall be from each of as many equal parts of the run on. */
  readonly workers: readonly number[];
  readonly backend: string;
  readonly settings: Settings | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
  notice(line: string): void;
}

export interface ElasticRun {
  readonly summary: Summary;
  readonly record: readonly KappaFact[];
  readonly evaluations: readonly { readonly samples: number; readonly loss: number }[];
}

const GRACE_MS = 30_000;

/** Every second worker that goes is killed, the others finish what they have. */
export async function runElastic(options: ElasticRunOptions): Promise<ElasticRun> {
  const { task, out, workers, backend, settings, log, logLevel = "warn", onLog, signal } = options;
  const server = await startServer({
    task,
    out,
    listen: { host: "127.0.0.1", port: 0 },
    shards: 1,
    tls: { kind: "none" },
    workersAwaited: workers[0],
    awaitMs: 60_000,
    log,
    spawnShard: () => {
      throw new RangeError("one shard");
    },
  });
  const { address } = server;
  const token = server.security.passFor("elastic", "worker");
  const present: Child[] = [];
  const gone: Promise<unknown>[] = [];
  let failed: (error: Error) => void;
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  failure.catch(() => {});
  let started = 0;

  function start(): void {
    const number = ++started;
    const order: WorkerOrder = {
      address,
      token,
      backend,
      computeThreads: 1,
      logLevel,
      transport: "auto",
      visibleDevices: undefined,
      trace: undefined,
    };
    const onRecord = (record: Readonly<Record<string, unknown>>): void => passOn(onLog, record, `worker ${number}`);
    const child = startChild({ program: "worker", order, number, settings, onLog: onRecord });
    present.push(child);
    void child.exited.then(({ ok, reason }) => {
      if (!ok && present.includes(child)) failed(new IsobatchError("unavailable", reason));
    });
  }

  function end(kill: boolean): void {
    const child = present.pop()!;
    gone.push(child.exited);
    if (kill) child.kill();
    else void child.stop(GRACE_MS);
  }

  function setWorkers(count: number, samples: number): void {
    options.notice(`after ${samples} samples: ${present.length} → ${count} workers`);
    while (present.length < count) start();
    for (let i = 0; present.length > count; i++) end(i % 2 === 0);
  }

  let phase = 0;
  const unsubscribe = server.metrics.subscribe(0, (json) => {
    const line = JSON.parse(json) as MetricsLine;
    if (line.type !== "step") return;
    const due = Math.min(workers.length - 1, Math.floor((workers.length * line.samples) / task.samples));
    if (due <= phase) return;
    phase = due;
    setWorkers(workers[phase], line.samples);
  });
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new IsobatchError("interrupted", "The experiment was stopped.")));
  });
  interrupted.catch(() => {});
  try {
    setWorkers(workers[0], 0);
    const { summary } = await Promise.race([server.finished, failure, interrupted]);
    const lines = [...readJsonLines<MetricsLine>(join(out, METRICS_FILE))];
    return {
      summary,
      record: readKappaRecord(join(out, KAPPA_FILE), task.microBatchesPerStep),
      evaluations: lines.flatMap((line) => (line.type === "evaluation" ? [line] : [])),
    };
  } finally {
    unsubscribe();
    await server.abort();
    while (present.length > 0) end(false);
    await Promise.all(gone);
  }
}
