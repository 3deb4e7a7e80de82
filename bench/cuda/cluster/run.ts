/** One run of a cluster through the command line, as a user starts it, and the figures in its run directory. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { METRICS_FILE, RUN_FILES, type Summary } from "../../../server/record/index.js";
import type { FileLook } from "../../peers/step-times.js";
import { lastLine, runChild } from "../child.js";
import type { PartContext } from "../report.js";
import { type Busy, busyBetween, sampleBusy } from "./busy.js";
import type { ClusterTask } from "./tasks.js";
import { type Warm, warmOf } from "./warm.js";

export interface ClusterRow extends Omit<Warm, "span"> {
  readonly task: ClusterTask;
  readonly workers: number;
  readonly batch: number;
  readonly microBatches: number;
  readonly stateHash: string;
  /** The time of the whole run, including its start. */
  readonly seconds: number;
  /** How busy the GPU was during the warm steps; null: it is not known. */
  readonly busy: Busy | null;
  /** Why gradients were computed operation by operation; null: they were not. */
  readonly refused: string | null;
}

const MAIN = fileURLToPath(new URL("../../../cli/main.js", import.meta.url));
const LOOK_MS = 10;

export interface CheckedRun {
  readonly taskFile: string;
  readonly out: string;
  readonly workers: number;
  readonly steps: number;
  readonly limitMs: number;
  /** Another program, in tests. */
  readonly main?: string;
}

export type RunFound = Omit<ClusterRow, "task" | "batch" | "microBatches">;

/** @returns the run's figures, or the problem, worded as the end of a sentence. */
export async function runCluster(
  { on, backend }: Pick<PartContext, "on" | "backend">,
  { taskFile, out, workers, steps, limitMs, main = MAIN }: CheckedRun,
): Promise<RunFound | { readonly problem: string }> {
  const counts = { workers, "compute-threads": 1, steps };
  const flags = Object.entries(counts).flatMap(([name, n]) => [`--${name}`, `${n}`]);
  // Why a gradient is not compiled is only logged at this level.
  const log = ["--log-level", "info", "--log-format", "json"];
  const args = [main, "run", taskFile, ...flags, "--backend", backend, "--out", out, ...log];
  // Several workers share a GPU only if it is named.
  const gpu = process.env.CUDA_VISIBLE_DEVICES?.split(",")[0] ?? "0";
  const env = on === "gpu" ? { ...process.env, CUDA_VISIBLE_DEVICES: gpu } : process.env;
  const looks: FileLook[] = [];
  const metrics = join(out, METRICS_FILE);
  const timer = setInterval(() => look(metrics, looks), LOOK_MS);
  const sampler = on === "gpu" ? sampleBusy(gpu) : undefined;
  const started = performance.now();
  const { code, isLate, stderr } = await runChild(process.execPath, args, limitMs, { env });
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  clearInterval(timer);
  sampler?.stop();
  if (isLate) return { problem: `did not end within ${Math.round(limitMs / 1000)} s` };
  if (code !== 0) return { problem: `ended with exit code ${code}: ${lastLine(stderr)}` };
  const summary = JSON.parse(readFileSync(join(out, RUN_FILES.summary), "utf8")) as Summary;
  const { span, ...warm } = warmOf(readFileSync(metrics, "utf8"), looks);
  const busy = span && sampler && busyBetween(sampler.samples, span.fromMs, span.toMs);
  const refused = /computed operation by operation[^"\n]*/.exec(stderr)?.[0] ?? null;
  return { ...warm, workers, stateHash: summary.stateHash, seconds, busy: busy ?? null, refused };
}

function look(file: string, looks: FileLook[]): void {
  if (!existsSync(file)) return;
  const bytes = statSync(file).size;
  if (bytes > (looks.at(-1)?.bytes ?? 0)) looks.push({ atMs: performance.now(), bytes });
}
