/** The one task that all of these tests train, and its expected result. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Host, ROOT, run } from "./host.js";

export const TASK = join(ROOT, "test/deploy/kubernetes/small/task.json");

/** The fields of `isobatch status --json` that are used here. */
export interface Status {
  readonly phase: string;
  readonly step: number;
  readonly steps: number;
  readonly microBatchesPerStep: number;
  readonly workers: readonly { id: string; host: string; state: string }[];
}

export interface Summary {
  readonly stateHash: string;
  readonly steps: number;
  readonly recomputedSteps: number;
  readonly finalEvaluation: { accuracy: number };
}

export const isobatch = (args: readonly string[]): Promise<string> =>
  run(process.execPath, [join(ROOT, "dist/cli/main.js"), ...args]);

/** The result of the task if nothing disturbs it. */
export async function undisturbed(host: Host): Promise<Summary> {
  const out = join(host.folder, "undisturbed");
  await isobatch(["run", TASK, "--workers", "1", "--backend", "wasm", "--out", out]);
  return JSON.parse(readFileSync(join(out, "summary.json"), "utf8"));
}
