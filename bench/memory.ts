/**
 * Whether memory stays constant: tensors and the resident set over thousands of micro-batches, for each backend and model in
 * its own process. The work is that of a compute thread for a micro-batch: samples, gradient, new weights; and now and then
 * an evaluation.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BACKEND_NAMES, type BackendName, isBackendName, probeBackend } from "../backends/index.js";
import { settings } from "../backends/settings.test.helper.js";
import { type ModelCaseName, modelCases } from "../compute/gradients/model-cases.test.helper.js";
import { IsobatchError, invalid } from "../shared/errors.js";

export interface MemoryPoint {
  /** Micro-batches computed so far. */
  readonly microBatches: number;
  readonly tensors: number;
  /** The resident set after garbage collection. */
  readonly residentMiB: number;
  readonly heapMiB: number;
}

export interface MemoryResult {
  readonly points: readonly MemoryPoint[];
  readonly tensorsGrown: number;
  /** Growth from a quarter of the way, when caches are full, to the end. */
  readonly residentGrownMiB: number;
}

export interface MemoryScenario {
  readonly scenario: "memory";
  readonly microBatches: number;
  readonly residentGrowthMaxMiB: number;
  /** By backend and model, e.g. "wasm mlp". */
  readonly results: Readonly<Record<string, MemoryResult>>;
  /** The reason for each backend that does not work here. */
  readonly missing: Readonly<Record<string, string>>;
}

/** The reserve that the allocators of V8 and TensorFlow were seen to keep; a leak of 11 KB per micro-batch exceeds it. */
export const RESIDENT_GROWTH_MAX_MIB = 16;
export const MEMORY_MODELS: readonly ModelCaseName[] = ["mlp", "cnn", "resnet18", "gpt"];
const RUN_MS_MAX = 1_800_000;

/**
 * @param backends default: all that work here; a backend that is named must work.
 * @throws {IsobatchError} `exhausted` if anything grows; by then the results have been printed.
 */
export async function memoryScenario(
  microBatches: number,
  backends: readonly string[] | undefined,
  models: readonly string[] = MEMORY_MODELS,
): Promise<MemoryScenario> {
  const results: Record<string, MemoryResult> = {};
  const missing: Record<string, string> = {};
  for (const model of models) {
    if (!(model in modelCases)) invalid(`--models has "${model}"; choose from ${Object.keys(modelCases).join(", ")}.`);
  }
  for (const name of backends ?? BACKEND_NAMES) {
    if (!isBackendName(name)) return invalid(`--backends has "${name}"; choose from ${BACKEND_NAMES.join(", ")}.`);
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

/** A sentence that names what has grown; undefined if nothing has. */
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
