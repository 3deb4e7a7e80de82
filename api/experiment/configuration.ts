/** From options to a task and a protocol; a preset has values for those that were left out. */
import { allArms, createProtocol, PRESET_NAMES, PRESETS, type Preset, type Protocol } from "../../experiment/index.js";
import { invalid } from "../../shared/errors.js";
import { loadTask, resolveTask, type Task, type TaskOverrides } from "../../tasks/index.js";
import type { InvarianceOptions } from "../types/experiment.js";

export interface Configuration {
  /** The preset's name, or the task's. */
  readonly name: string;
  readonly task: Task;
  readonly protocol: Protocol;
}

/** @throws {IsobatchError} `invalid_input`. */
export async function configure(options: InvarianceOptions): Promise<Configuration> {
  const preset = findPreset(options);
  const { beta1, beta2, weightDecay, precision } = options;
  const task = cutTestPart(
    await findTask(options, preset, { beta1, beta2, weightDecay, precision }),
    options.evaluationSamples ?? preset?.evaluationSamples,
  );
  const missing = (option: string): never =>
    invalid(`${option} is missing; give it, or a --preset, one of ${PRESET_NAMES.join(", ")}.`);
  const protocol = createProtocol(task, {
    arms: options.arms ?? allArms().map(({ name }) => name),
    kappas: options.kappa ?? preset?.kappas ?? missing("--kappa"),
    learningRates: options.lr ?? preset?.learningRates ?? missing("--lr"),
    seeds: options.seeds ?? preset?.seeds ?? [0, 1, 2],
    microBatches: options.microBatches ?? preset?.microBatches,
    evaluateEvery: options.evaluateEvery ?? preset?.evaluateEvery,
  });
  return {
    name: options.task === undefined && options.preset !== undefined ? options.preset : task.name,
    task,
    protocol,
  };
}

function findPreset({ preset }: InvarianceOptions): Preset | undefined {
  if (preset === undefined) return undefined;
  const found: Preset | undefined = (PRESETS as Record<string, Preset>)[preset];
  return found ?? invalid(`--preset is "${preset}"; it must be one of ${PRESET_NAMES.join(", ")}.`);
}

async function findTask(
  { task, preset: name }: InvarianceOptions,
  preset: Preset | undefined,
  given: TaskOverrides,
): Promise<Task> {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  // Lengths are counted in micro-batches here: the task's own κ has no say.
  const overrides = { ...said, microBatchesPerStep: 1 };
  if (task !== undefined) return loadTask(task, { ...preset?.fields, ...overrides });
  const input = preset?.task?.();
  if (input !== undefined) return resolveTask(input.name, input, overrides);
  if (preset?.needs !== undefined) return invalid(`--task is missing: --preset ${name} needs ${preset.needs}.`);
  return invalid(`--task is missing; name a task, or a --preset, one of ${PRESET_NAMES.join(", ")}.`);
}

function cutTestPart(task: Task, samples: number | undefined): Task {
  const { testLimit } = task.dataset;
  if (samples === undefined || (testLimit !== null && testLimit <= samples)) return task;
  return { ...task, dataset: { ...task.dataset, testLimit: samples } };
}
