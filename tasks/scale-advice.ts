/**
 * Advice on numbers that are too large to train on: Adam moves a weight by about the learning rate per step, so
 * values that spread over thousands take thousands of steps, and their squares drown the rest. Nothing is changed silently.
 */
import type { Dataset, TaskData } from "./datasets/index.js";
import { decodeBatch } from "./decode-batch.js";
import { inputUsesOf, type LayersModel } from "./models/index.js";
import type { Task } from "./task.js";

/** A larger deviation brings advice. */
export const DEVIATION_MAX = 100;
/** The most rows, spread over the data, and the most numbers that are looked at: they show a deviation well enough. */
const ROWS_MAX = 1_000;
const NUMBERS_MAX = 1 << 20;
const NAMES_MAX = 3;

/** One sentence, if a column of the training part is too wide; undefined otherwise. Looks at a bounded number of rows. */
export function scaleAdvice({ loss }: Pick<Task, "loss">, model: LayersModel, { train }: TaskData): string | undefined {
  const { input, label, columns } = train;
  // Bytes are at most half their range wide.
  const mayBeWide = input.type === "float32" || 127.5 * input.scale > DEVIATION_MAX;
  const looksAtLabels = loss === "meanSquaredError" && label.type === "float32" && !isScaledBack(model);
  if (!mayBeWide && !looksAtLabels) return undefined;
  const sample = sampleOf(train);
  const inputs = mayBeWide
    ? wide(sample.inputs, sample.rows, inputUsesOf(model, input.shape).plain, (i) => columns?.inputs[i] ?? `input ${i}`)
    : [];
  const labels = looksAtLabels
    ? wide(sample.labels, sample.rows, undefined, (i) => columns?.labels[i] ?? `label ${i}`)
    : [];
  if (inputs.length + labels.length === 0) return undefined;
  const what = [
    ...(inputs.length > 0 ? [`the model computes with ${listed(inputs)} as they are`] : []),
    ...(labels.length > 0 ? [`is to predict ${listed(labels)}`] : []),
  ].join(" and ");
  const subject = inputs.length > 0 ? what : `the model ${what}`;
  const remedies = [
    "divide such columns in the file so that their deviation is about 1",
    ...(inputs.length > 0 ? ["start the model with a BatchNormalization layer, which does it for inputs"] : []),
  ];
  return `${subject}: numbers so far apart train badly; ${remedies.join(", or ")}`;
}

interface Wide {
  readonly name: string;
  readonly deviation: number;
}

/** @param values `rows` rows. @param elements the elements of a row that count; all if undefined. */
function wide(
  values: ArrayLike<number>,
  rows: number,
  elements: Uint32Array | undefined,
  nameOf: (element: number) => string,
): Wide[] {
  const width = values.length / rows;
  const found: Wide[] = [];
  for (const element of elements ?? Array.from({ length: width }, (_, i) => i)) {
    let mean = 0;
    for (let row = 0; row < rows; row++) mean += values[row * width + element] / rows;
    let variance = 0;
    for (let row = 0; row < rows; row++) variance += (values[row * width + element] - mean) ** 2 / rows;
    const deviation = Math.sqrt(variance);
    if (deviation > DEVIATION_MAX) found.push({ name: nameOf(element), deviation });
  }
  return found.sort((a, b) => b.deviation - a.deviation);
}

function sampleOf(train: Dataset): { inputs: Float32Array; labels: ArrayLike<number>; rows: number } {
  const width = train.input.shape.reduce((product, size) => product * size, 1);
  const rows = Math.max(1, Math.min(ROWS_MAX, train.samples, Math.floor(NUMBERS_MAX / width)));
  const { inputs, labels } = train.read(
    Uint32Array.from({ length: rows }, (_, i) => Math.floor((i * train.samples) / rows)),
  );
  return { ...decodeBatch(train, inputs, labels, rows), rows };
}

/** Whether the model ends in a layer that makes small numbers large again. */
function isScaledBack(model: LayersModel): boolean {
  return model.layers.at(-1)?.getClassName() === "Rescaling";
}

function listed(all: readonly Wide[]): string {
  const shown = all.slice(0, NAMES_MAX).map(({ name, deviation }) => `"${name}" (deviation ${number(deviation)})`);
  return all.length > NAMES_MAX ? `${shown.join(", ")} and ${all.length - NAMES_MAX} more columns` : shown.join(", ");
}

function number(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-US");
}
