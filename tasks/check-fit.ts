/** Whether a task's parts fit each other: the model's input to the data, its output to the labels and the loss. */
import { IsobatchError, invalid } from "../shared/errors.js";
import { checkIndices } from "./check-indices.js";
import { chunksOf } from "./datasets/chunks.js";
import type { Dataset, TaskData } from "./datasets/index.js";
import type { LayersModel } from "./models/index.js";
import type { Task } from "./task.js";

type FitTask = Pick<Task, "loss" | "microBatchSize">;

/** @throws {IsobatchError} `invalid_input`, one line per problem. */
export function checkFit(task: FitTask, model: LayersModel, data: TaskData): void {
  const ofTraining = [checkSize, checkInput, checkLabels, checkOutput, checkActivation];
  const checks = [
    ...ofTraining.map((check) => () => check(task, model, data.train)),
    () => checkProbabilities(task, data),
    () => checkIndices(model, data),
  ];
  const problems: string[] = [];
  for (const check of checks) {
    try {
      check();
    } catch (error) {
      if (!(error instanceof IsobatchError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) invalid(problems.join("\n"));
}

function checkSize(task: FitTask, _model: LayersModel, { samples }: Dataset): void {
  if (task.microBatchSize > samples) {
    invalid(
      `microBatchSize is ${task.microBatchSize}, but the data set has only ${samples} samples to train on; ` +
        `set it to at most ${samples}.`,
    );
  }
}

function checkInput(_task: FitTask, model: LayersModel, { input }: Dataset): void {
  const shape = shapeOf(model.inputs[0].shape);
  if (sameShape(shape, input.shape)) return;
  invalid(
    `The model's input has the shape ${show(shape)}, but the data set's samples have ${show(input.shape)}; ` +
      `set the first layer's inputShape to ${show(input.shape)}.`,
  );
}

function checkLabels({ loss }: FitTask, _model: LayersModel, { label }: Dataset): void {
  if (loss === "softmaxCrossEntropy" && label.classes === undefined) {
    invalid('loss is "softmaxCrossEntropy", but the labels are numbers; use "meanSquaredError", or labels of classes.');
  }
  if (loss === "meanSquaredError" && label.classes !== undefined) {
    invalid(
      `loss is "meanSquaredError", but the labels are ${label.classes} classes, whose numbers mean nothing; use ` +
        '"softmaxCrossEntropy", or labels that are numbers (in a CSV file "target": "numbers").',
    );
  }
  if (loss === "binaryCrossEntropy" && label.classes !== undefined && label.classes > 2) {
    invalid(
      `loss is "binaryCrossEntropy", but the labels have ${label.classes} classes, more than 2; use "softmaxCrossEntropy".`,
    );
  }
}

/** A binary cross-entropy with anything but probabilities has no minimum, so training diverges. */
function checkProbabilities({ loss }: FitTask, { train, test }: TaskData): void {
  if (loss !== "binaryCrossEntropy" || train.label.classes !== undefined) return;
  for (const part of [train, test]) {
    if (part === undefined) continue;
    for (const { labels, samples, first } of chunksOf(part)) {
      const at = labels.findIndex((label) => !(label >= 0 && label <= 1));
      if (at < 0) continue;
      const width = labels.length / samples;
      const where = part.labelPlace?.(first + Math.floor(at / width), at % width) ?? `Label ${at}`;
      invalid(
        `${where} is ${labels[at]}, but loss is "binaryCrossEntropy", which takes labels from 0 to 1; write 0 and 1, or use ` +
          '"meanSquaredError".',
      );
    }
  }
}

function checkOutput({ loss }: FitTask, model: LayersModel, { label }: Dataset): void {
  const shape = shapeOf(model.outputs[0].shape);
  if (loss === "meanSquaredError" && label.classes !== undefined) return;
  if (loss === "softmaxCrossEntropy") {
    const wanted = [...label.shape, label.classes ?? 0];
    if (label.classes === undefined || sameShape(shape, wanted)) return;
    invalid(
      `The model's output has the shape ${show(shape)}, but softmaxCrossEntropy on ${label.classes} classes needs ` +
        `${show(wanted)}; give the last layer ${label.classes} units.`,
    );
  }
  const wanted = label.shape.length === 0 ? [1] : label.shape;
  if (sameShape(shape, wanted) || sameShape(shape, label.shape)) return;
  invalid(
    `The model's output has the shape ${show(shape)}, but ${loss} on labels of shape ${show(label.shape)} needs ` +
      `${show(wanted)}; give the last layer ${wanted.at(-1)} units.`,
  );
}

/** Cross-entropies take logits; with a softmax at the model's end, a softmax would be taken twice. */
function checkActivation({ loss }: FitTask, model: LayersModel): void {
  const last = model.layers.at(-1);
  const activation = (last?.getConfig() as { activation?: unknown } | undefined)?.activation;
  const name = last?.getClassName() === "Softmax" ? "softmax" : activation;
  if (loss === "meanSquaredError" || (name !== "softmax" && name !== "sigmoid")) return;
  invalid(
    `The model's last layer, "${last?.name}", ends in ${name}, but ${loss} applies that itself; leave the activation ` +
      'of the last layer out ("linear").',
  );
}

/** A shape without the batch's dimension. */
function shapeOf(shape: readonly (number | null)[]): (number | null)[] {
  return shape.slice(1);
}

/** An unknown size (null) fits any. */
function sameShape(shape: readonly (number | null)[], wanted: readonly number[]): boolean {
  return shape.length === wanted.length && shape.every((size, i) => size === null || size === wanted[i]);
}

function show(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => size ?? "any").join(", ")}]`;
}
