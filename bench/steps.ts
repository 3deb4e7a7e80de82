import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type MetricsLine, readJsonLines } from "../server/record/index.js";
import { median } from "./statistics.js";

/**
 * The time of a whole step by phase, with two worker processes of one compute thread each on this machine, as
 * `isobatch run` measures it, read from its metrics.
 */

const STEPS = 120;
const WARM_UP_STEPS = 20;

export async function stepScenario(task = "mnist"): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-bench-"));
  const main = fileURLToPath(new URL("../cli/main.js", import.meta.url));
  try {
    const out = join(folder, "run");
    const flags = ["--workers", "2", "--compute-threads", "1", "--micro-batches-per-step", "2", "--steps", `${STEPS}`];
    await promisify(execFile)(process.execPath, [main, "run", task, ...flags, "--out", out]);
    const phases = new Map<string, number[]>();
    for (const line of readJsonLines<MetricsLine>(join(out, "metrics.jsonl"))) {
      if (line.type !== "step" || line.step < WARM_UP_STEPS) continue;
      for (const [phase, ms] of Object.entries(line.ms)) phases.set(phase, [...(phases.get(phase) ?? []), ms]);
    }
    const ms = Object.fromEntries([...phases].map(([phase, values]) => [phase, median(values)]));
    return { scenario: "step", task, workers: 2, computeThreads: 1, microBatchesPerStep: 2, steps: STEPS, ms };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await stepScenario()));
