/**
 * Whether memory stays where it is: tensors and the resident set over thousands of micro-batches, of each backend and
 * model in a process of its own. What is counted is what a compute thread does for a micro-batch: samples, gradient,
 * new weights; now and then an evaluation.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BACKEND_NAMES, type BackendName, isBackendName, probeBackend } from "../backends/index.js";
import { settings } from "../backends/settings.test.helper.js";
import { type ModelCaseName, modelCases } from "../compute/model-cases.test.helper.js";
import { IsobatchError, invalid } from "../shared/errors.js";

export interface MemoryPoint {
  /** Done so far. */
  readonly microBatches: number;
  readonly tensors: number;
  /** After the garbage was collected, as is the heap. */
  readonly residentMiB: number;
  readonly heapMiB: number;
}

export interface MemoryResult {
  readonly points: readonly MemoryPoint[];
  readonly tensorsGrown: number;
  /** From a quarter of the way, when caches are full, to the end. */
  readonly residentGrownMiB: number;
}

export interface MemoryScenario {
  readonly scenario: "memory";
  readonly microBatches: number;
  readonly residentGrowthMaxMiB: number;
  /** By backend and model, e.g. "wasm mlp". */
  readonly results: Readonly<Record<string, MemoryResult>>;
  /** Of each backend that does not work here. */
  readonly missing: Readonly<Record<string, string>>;
}

/** What the allocators of V8 and TensorFlow were seen to keep in reserve; a leak of 11 KB a micro-batch shows. */
export const RESIDENT_GROWTH_MAX_MIB = 16;
export const MEMORY_MODELS: readonly ModelCaseName[] = ["mlp", "cnn", "resnet18", "gpt"];
const RUN_MS_MAX = 1_800_000;

/**
 * @param backends default: all that work here; one that is named has to.
 * @throws {IsobatchError} `exhausted` if anything grows; the results were printed by then.
 */
export async function memoryScenario(
  microBatches: number,
  backends: readonly string[] | undefined,
  models: readonly string[] = MEMORY_MODELS,
): Promise<MemoryScenario> {
  const results: Record<string, MemoryResult> = {};
  const missing: Record<string, string> = {};
  for (const model of models) {
    if (!(model in modelCases)) invalid(`--models has "${model}"; there are ${Object.keys(modelCases).join(", ")}.`);
  }
  for (const name of backends ?? BACKEND_NAMES) {
    if (!isBackendName(name)) return invalid(`--backends has "${name}"; there are ${BACKEND_NAMES.join(", ")}.`);
    const { available, reason } = await probeBackend(name, settings);
    if (!available && backends !== undefined)
      throw new IsobatchError("unavailable", `${name} is unavailable: ${reason}.`);
    if (!available) missing[name] = reason;
    for (const model of available ? models : []) {
      const result = await measureMemory(name, model as ModelCaseName, microBatches);
      results[`${name} ${model}`] = result;
      const { tensorsGrown, residentGrownMiB } = result;
      process.stderr.write(`${name} ${model}: ${tensorsGrown} tensors and ${residentGrownMiB} MiB more\n`);
    }
  }
  return { scenario: "memory", microBatches, residentGrowthMaxMiB: RESIDENT_GROWTH_MAX_MIB, results, missing };
}

/** What has grown, as a sentence; undefined if nothing has. */
export function growth({ results }: MemoryScenario): string | undefined {
  const grown = Object.entries(results).filter(
    ([, { tensorsGrown, residentGrownMiB }]) => tensorsGrown > 0 || residentGrownMiB > RESIDENT_GROWTH_MAX_MIB,
  );
  if (grown.length === 0) return undefined;
  const each = grown.map(([name, { tensorsGrown, residentGrownMiB }]) => {
    return `${name} by ${tensorsGrown} tensors and ${residentGrownMiB} MiB`;
  });
  return `memory has grown: ${each.join("; ")} (allowed: no tensor, ${RESIDENT_GROWTH_MAX_MIB} MiB).`;
}

export async function measureMemory(
  backend: BackendName,
  model: ModelCaseName,
  microBatches: number,
): Promise<MemoryResult> {
  const program = fileURLToPath(new URL("./memory-program.js", import.meta.url));
  const args = ["--expose-gc", program, backend, model, String(microBatches)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: RUN_MS_MAX }).catch(
    (error: unknown) => {
      const { signal, code, stderr } = error as { signal?: string; code?: unknown; stderr?: string };
      const said = stderr?.trim().split("\n").at(-1);
      throw new Error(`${model} on ${backend} ended with ${signal ?? `exit code ${code}`}${said ? `: ${said}` : ""}`);
    },
  );
  const points = JSON.parse(stdout.trim().split("\n").at(-1)!) as MemoryPoint[];
  const [first, last] = [points[0], points.at(-1)!];
  return {
    points,
    tensorsGrown: last.tensors - first.tensors,
    residentGrownMiB: Number((last.residentMiB - first.residentMiB).toFixed(1)),
  };
}
