/**
 * How far a run that rounds is from the same run in float32, compared with how far a run with the samples in another order is
 * from it, which counts as no difference. A run rounds what crosses the wire, or the factors of products, or both. Three small
 * models at κ = 1, means over the seeds. The backend is wasm, and no time is measured: the numbers are the same on any machine
 * of this architecture.
 */

import { PRESETS, type Preset, trainInProcess } from "../experiment/index.js";
import { gapBetween } from "../experiment/invariance/gap.js";
import { type PreparedTask, prepareTask, resolveTask, type Task, type TaskInput } from "../tasks/index.js";
import { mean, threeDigits } from "./statistics.js";

const MODELS = ["standard", "conv", "gpt"] as const;
/** The runs that round, by the fields of their task. */
const VARIANTS = {
  "wire bfloat16": { wire: "bfloat16" },
  "precision tf32": { precision: "tf32" },
  "precision bfloat16": { precision: "bfloat16" },
  "precision and wire bfloat16": { precision: "bfloat16", wire: "bfloat16" },
} as const satisfies Record<string, Partial<Task>>;
type Variant = keyof typeof VARIANTS;
const LEARNING_RATES = [1e-4, 1e-3];
const EVALUATIONS = 32;
/** A seed that the presets don't use. */
const ANOTHER_ORDER = 1_000;

export interface Bfloat16Line {
  readonly scenario: "bfloat16";
  readonly task: string;
  readonly variant: Variant;
  readonly learningRate: number;
  readonly seeds: number;
  /** max over time of |L − L of float32| / L of float32, on the test part; means over the seeds. */
  readonly gap: number;
  readonly anotherOrder: number;
  /** Differences of the loss at the end, with their signs, as shares of float32's. */
  readonly gapAtEnd: number;
  readonly anotherOrderAtEnd: number;
}

/** @param models presets of the invariance experiment */
export async function bfloat16Scenario(
  models: readonly string[] = MODELS,
  onLine: (line: Bfloat16Line) => void = () => {},
): Promise<Bfloat16Line[]> {
  const lines: Bfloat16Line[] = [];
  for (const name of models) {
    const preset: Preset | undefined = PRESETS[name as (typeof MODELS)[number]];
    if (preset?.task === undefined || preset.microBatches === undefined)
      throw new Error(`--models has ${name}; choose from ${MODELS.join(", ")}.`);
    for (const learningRate of LEARNING_RATES) {
      const compared: Compared[] = [];
      for (const seed of preset.seeds) compared.push(await compare(taskOf(preset.task(), preset, learningRate, seed)));
      const meanOf = (of: keyof Compared, figure: "relative" | "atEnd"): number =>
        threeDigits(mean(compared.map((gaps) => gaps[of]![figure])));
      for (const variant of Object.keys(VARIANTS) as Variant[]) {
        const line: Bfloat16Line = {
          ...{ scenario: "bfloat16", task: preset.task().name, variant, learningRate, seeds: preset.seeds.length },
          gap: meanOf(variant, "relative"),
          anotherOrder: meanOf("another order", "relative"),
          gapAtEnd: meanOf(variant, "atEnd"),
          anotherOrderAtEnd: meanOf("another order", "atEnd"),
        };
        onLine(line);
        lines.push(line);
      }
    }
  }
  return lines;
}

function taskOf(input: TaskInput, preset: Preset, learningRate: number, seed: number): Task {
  const { microBatches = 0, evaluationSamples } = preset;
  const samples = microBatches * input.microBatchSize;
  const evaluateEverySamples = Math.floor(microBatches / EVALUATIONS) * input.microBatchSize;
  const dataset = evaluationSamples === undefined ? input.dataset : { ...input.dataset, testLimit: evaluationSamples };
  return resolveTask(input.name, { ...input, dataset, seed, samples, learningRate, evaluateEverySamples });
}

/** The gap of each variant, and of another order, to the run with float32. */
type Compared = Readonly<Record<Variant | "another order", ReturnType<typeof gapBetween>>>;

async function compare(task: Task): Promise<Compared> {
  const prepared = await prepareTask(task);
  const plain = await curveOf(task, prepared);
  const gaps: [string, ReturnType<typeof gapBetween>][] = [
    ["another order", gapBetween(await curveOf(task, prepared, task.seed + ANOTHER_ORDER), plain)],
  ];
  for (const [variant, fields] of Object.entries(VARIANTS)) {
    gaps.push([variant, gapBetween(await curveOf({ ...task, ...fields }, prepared), plain)]);
  }
  return Object.fromEntries(gaps) as unknown as Compared;
}

async function curveOf(task: Task, prepared: PreparedTask, orderSeed?: number) {
  const samples: number[] = [];
  const losses: number[] = [];
  await trainInProcess(task, {
    ...{ backend: "wasm", prepared: { ...prepared, task }, orderSeed, evaluateFirst: true },
    onEvaluation(evaluation) {
      samples.push(evaluation.samples);
      losses.push(evaluation.loss);
    },
  });
  return { samples, losses };
}
