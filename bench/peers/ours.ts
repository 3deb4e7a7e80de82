/** Trains one of the models as `isobatch run` does, with a server and workers in separate processes. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "../../backends/tensorflow/install/index.js";
import { METRICS_FILE } from "../../server/record/index.js";
import { buildModel } from "../../tasks/index.js";
import { measuredModels } from "../models.js";
import type { Length, ModelName, ProcessLayout, TrainedOnce } from "./comparison.js";
import { type FileLook, stepTimes } from "./step-times.js";

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));
const LOOK_MS = 25;
const NEVER = 1_000_000_000;

export const TRANSPORT_NAMES = ["memory", "plain", "tls", "bfloat16"] as const;
export type TransportName = (typeof TRANSPORT_NAMES)[number];

/** A way for tensors to travel: the value of `--transport`, other options, and fields of the task. */
interface Way {
  readonly way: "memory" | "wire";
  readonly flags: readonly string[];
  readonly fields: object;
}

const WAYS: Record<TransportName, Way> = {
  memory: { way: "memory", flags: [], fields: {} },
  plain: { way: "wire", flags: [], fields: {} },
  tls: { way: "wire", flags: ["--tls"], fields: {} },
  bfloat16: { way: "wire", flags: [], fields: { wire: "bfloat16" } },
};

/** The number of parameters of a model here. */
export async function parametersOf(name: ModelName): Promise<number> {
  const { model, form } = measuredModels[name];
  const task = { seed: 1, model, initialWeights: "seeded" as const, weightDecayExclude: [], freeze: [] };
  return (await buildModel(task, form)).layout.parameters;
}

export async function trainOurs(
  model: ModelName,
  transport: TransportName,
  { processes, threads }: ProcessLayout,
  kappa: number,
  { steps, warmUp }: Length,
  backend: string,
): Promise<TrainedOnce> {
  const { way, flags: others, fields } = WAYS[transport];
  const folder = mkdtempSync(join(tmpdir(), "isobatch-bench-"));
  try {
    const task = join(folder, "task.json");
    writeFileSync(task, JSON.stringify(taskOf(model, fields)));
    const out = join(folder, "run");
    const numbers = { workers: processes, "compute-threads": threads, "micro-batches-per-step": kappa, steps };
    const counts = Object.entries(numbers).flatMap(([name, n]) => [`--${name}`, `${n}`]);
    const flags = [...counts, "--backend", backend, "--out", out, "--transport", way, ...others];
    const args = [MAIN, "run", task, ...flags];
    const looks: FileLook[] = [];
    const timer = setInterval(() => look(join(out, METRICS_FILE), looks), LOOK_MS);
    const ended = await runProgram(process.execPath, args, { env: process.env });
    clearInterval(timer);
    if (ended.code !== 0) {
      const reason = ended.stderr.trim().split("\n").at(-1) || ended.startError || `exit code ${ended.code}`;
      throw new Error(`Isobatch did not train ${model} with ${processes} workers (${reason}).`);
    }
    return stepTimes(readFileSync(join(out, METRICS_FILE), "utf8"), looks, warmUp);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Only steps, with one evaluation and one checkpoint at the end, after the last step that counts. */
function taskOf(name: ModelName, fields: object): object {
  const { model, batch } = measuredModels[name];
  return {
    ...{ extends: "mnist", name, model, microBatchSize: batch },
    ...{ evaluateEverySamples: NEVER, checkpointEverySamples: NEVER },
    ...fields,
  };
}

function look(file: string, looks: FileLook[]): void {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > (looks.at(-1)?.bytes ?? 0)) looks.push({ atMs: performance.now(), bytes });
}
