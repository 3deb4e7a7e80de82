/**
 * How far a run with `wire: "bfloat16"` is from the same run with float32, beside how far the same samples in another order
 * are from it: a difference that nobody would call one. Three small models at κ = 1, means over the seeds. The backend is
 * wasm, and no time is measured: the numbers are the same on any machine of this architecture.
 */

import { PRESETS, type Preset, trainInProcess } from "../experiment/index.js";
import { gapBetween } from "../experiment/invariance/gap.js";
import { type PreparedTask, prepareTask, resolveTask, type Task, type TaskInput } from "../tasks/index.js";
import { mean, threeDigits } from "./statistics.js";

const MODELS = ["standard", "conv", "gpt"] as const;
const LEARNING_RATES = [1e-4, 1e-3];
const EVALUATIONS = 32;
/** Beyond those of the presets' seeds. */
const ANOTHER_ORDER = 1_000;

export interface Bfloat16Line {
  readonly scenario: "bfloat16";
  readonly task: string;
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
      throw new Error(`--models has ${name}; there are ${MODELS.join(", ")}.`);
    for (const learningRate of LEARNING_RATES) {
      const pairs: { rounded: ReturnType<typeof gapBetween>; ordered: ReturnType<typeof gapBetween> }[] = [];
      for (const seed of preset.seeds) pairs.push(await compare(taskOf(preset.task(), preset, learningRate, seed)));
      const gaps = pairs.map(({ rounded }) => rounded!);
      const floors = pairs.map(({ ordered }) => ordered!);
      const line: Bfloat16Line = {
        scenario: "bfloat16",
        task: preset.task().name,
        learningRate,
        seeds: preset.seeds.length,
        gap: threeDigits(mean(gaps.map(({ relative }) => relative))),
        anotherOrder: threeDigits(mean(floors.map(({ relative }) => relative))),
        gapAtEnd: threeDigits(mean(gaps.map(({ atEnd }) => atEnd))),
        anotherOrderAtEnd: threeDigits(mean(floors.map(({ atEnd }) => atEnd))),
      };
      onLine(line);
      lines.push(line);
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

async function compare(task: Task) {
  const prepared = await prepareTask(task);
  const plain = await curveOf(task, prepared);
  return {
    rounded: gapBetween(await curveOf({ ...task, wire: "bfloat16" }, prepared), plain),
    ordered: gapBetween(await curveOf(task, prepared, task.seed + ANOTHER_ORDER), plain),
  };
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
