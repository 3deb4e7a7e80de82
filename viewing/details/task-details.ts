import { basename } from "node:path";
import type { RunFacts } from "../../server/record/index.js";
import { count, plural } from "../../shared/format.js";
import { optimizerTitle } from "../../shared/optimizer/index.js";
import { kappaRuleText } from "../../shared/steps/index.js";
import type { Task } from "../../tasks/index.js";

/** A few facts under one heading, in words. */
export interface DetailGroup {
  readonly title: string;
  readonly rows: readonly DetailRow[];
}

export type DetailRow = readonly [name: string, value: string];

/** A row without a value is left out: a run directory of an older version may not have it. */
type MaybeRow = readonly [name: string, value: string | undefined];

/** Everything that a task decides, grouped as people ask for it. */
export function taskDetails(task: Task, facts: RunFacts | undefined): DetailGroup[] {
  return [modelGroup(task, facts), dataGroup(task, facts), trainingGroup(task, facts), technicalGroup(task)];
}

function modelGroup({ model, initialWeights, freeze = [] }: Task, facts: RunFacts | undefined): DetailGroup {
  const trained =
    facts?.trainedParameters === facts?.parameters ? "" : `, ${count(facts?.trainedParameters ?? 0)} of them trained`;
  return group("Model", [
    ["Kind", facts?.modelKind ?? model?.kind],
    ["Task module", model?.kind === "module" && model.path !== null ? basename(model.path) : undefined],
    ["Layers", facts && count(facts.modelLayers)],
    ["Parameters", facts && `${count(facts.parameters)}${trained}`],
    [
      "Initial weights",
      initialWeights === "model" ? "as the model has them" : initialWeights && "random, from the seed",
    ],
    ["Frozen layers", freeze.length === 0 ? undefined : freeze.join(", ")],
  ]);
}

function dataGroup(
  { dataset, evaluateEverySamples, evaluationBatchSize }: Task,
  facts: RunFacts | undefined,
): DetailGroup {
  const place =
    dataset === undefined
      ? undefined
      : "file" in dataset
        ? dataset.file
        : "folder" in dataset
          ? dataset.folder
          : undefined;
  const { testSamples = 0 } = facts ?? {};
  const every = evaluateEverySamples === undefined ? "" : `, every ${count(evaluateEverySamples)} training samples`;
  return group("Data", [
    ["Data set", dataset?.kind],
    [dataset !== undefined && "folder" in dataset ? "Folder" : "File", place],
    ["Training samples", facts && count(facts.trainingSamples)],
    ["Test samples", facts && (testSamples === 0 ? "none" : count(testSamples))],
    ["Classes", facts?.classes === undefined ? undefined : count(facts.classes)],
    ["Augmentation", dataset?.kind === "cifar10" && dataset.augment !== "none" ? dataset.augment : undefined],
    ["Evaluation", testSamples === 0 ? undefined : `${count(evaluationBatchSize)} samples at a time${every}`],
  ]);
}

function trainingGroup(task: Task, facts: RunFacts | undefined): DetailGroup {
  const { optimizer, learningRate, beta1, beta2, epsilon, weightDecay, weightDecayExclude = [], clipNorm } = task;
  const { loss, labelSmoothing, microBatchSize, microBatchesPerStep, samples } = task;
  const excluded = weightDecayExclude.length === 0 ? "" : `, not for ${weightDecayExclude.join(", ")}`;
  return group("Training", [
    ["Length", lengthText(samples, facts)],
    ["Optimizer", optimizer && optimizerTitle(optimizer)],
    ["Learning rate (η)", text(learningRate)],
    ["Schedule", scheduleText(task)],
    ["β₁, β₂", beta1 === undefined ? undefined : `${beta1}, ${beta2}`],
    ["ε", text(epsilon)],
    ["Weight decay", weightDecay === undefined ? undefined : weightDecay === 0 ? "none" : `${weightDecay}${excluded}`],
    ["Gradient clipping", clipNorm === undefined ? undefined : clipNorm === null ? "none" : `at norm ${clipNorm}`],
    ["Loss", loss && LOSSES[loss]],
    ["Label smoothing", labelSmoothing ? String(labelSmoothing) : undefined],
    ["Micro-batch", plural(microBatchSize, "sample")],
    ["Micro-batches per step (κ)", microBatchesPerStep === undefined ? undefined : kappaText(microBatchesPerStep)],
    [
      "Batch per step",
      typeof microBatchesPerStep === "number" ? plural(microBatchSize * microBatchesPerStep, "sample") : undefined,
    ],
  ]);
}

function technicalGroup({ seed, precision, wire, mixed, checkpointEverySamples, checkpointsKept }: Task): DetailGroup {
  const checkpoints =
    checkpointEverySamples && `every ${count(checkpointEverySamples)} samples, ${checkpointsKept} kept`;
  return group("Reproduction", [
    ["Seed", text(seed)],
    ["Precision of products", precision],
    ["Numbers on the wire", wire],
    ["Kinds of workers", mixed === undefined ? undefined : mixed ? "mixed: not bit-exact" : "one kind only"],
    ["Checkpoints", checkpoints || undefined],
  ]);
}

const LOSSES: Readonly<Record<Task["loss"], string>> = {
  softmaxCrossEntropy: "softmax cross-entropy",
  binaryCrossEntropy: "binary cross-entropy",
  meanSquaredError: "mean squared error",
};

function scheduleText({ schedule }: Task): string | undefined {
  if (schedule === undefined) return undefined;
  const { kind, warmupSamples, totalSamples, finalFraction } = schedule;
  const warmup = warmupSamples > 0 ? `, after a warm-up over ${count(warmupSamples)} samples` : "";
  if (kind === "constant") return `constant${warmup}`;
  return `${kind} decay to ${finalFraction} × η at ${count(totalSamples)} samples${warmup}`;
}

function kappaText(rule: Task["microBatchesPerStep"]): string {
  return typeof rule === "number" ? count(rule) : kappaRuleText(rule);
}

/** "600,000 samples, 10 epochs" */
export function lengthText(samples: number | undefined, facts: RunFacts | undefined): string | undefined {
  if (samples === undefined) return undefined;
  const epochs = epochsText(samples, facts?.trainingSamples);
  return `${plural(samples, "sample")}${epochs === undefined ? "" : `, ${epochs}`}`;
}

/** "2.50 epochs": passes over the training samples; undefined where their number is unknown. */
export function epochsText(samples: number, trainingSamples: number | undefined): string | undefined {
  if (!trainingSamples) return undefined;
  const epochs = samples / trainingSamples;
  if (epochs >= 1_000) return `${count(epochs)} epochs`;
  const digits = Number.isInteger(epochs) ? 0 : epochs < 10 ? 2 : 1;
  return `${epochs.toFixed(digits)} ${epochs === 1 ? "epoch" : "epochs"}`;
}

function text(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

export function group(title: string, rows: readonly MaybeRow[]): DetailGroup {
  return { title, rows: rows.filter((row): row is DetailRow => row[1] !== undefined && row[1] !== "") };
}
