/** From samples as a data set has them to what a model says about each. */
import { invalid } from "../../shared/errors.js";
import { plural } from "../../shared/format.js";
import { type SavedForm, scaleInputs, type Task } from "../../tasks/index.js";
import { tensorflow as tf } from "../../tasks/models/index.js";
import type { LayersModel } from "../../tasks/tfjs/types.js";
import type { LoadedRun, Prediction, Sample } from "../types/model.js";
import { checkSamples } from "./check-samples.js";

export interface PredictOptions {
  readonly model: LayersModel;
  readonly task: Pick<Task, "loss" | "dataset">;
  readonly form: SavedForm;
  readonly labels: readonly string[] | undefined;
}

export function createPredict({ model, task, form, labels }: PredictOptions): LoadedRun["predict"] {
  const { shape } = form.input;
  const read = createReader(form, task.dataset.kind === "text");
  return async (samples) => {
    checkSamples(samples);
    if (samples.length === 0) return [];
    const inputs = new Float32Array(samples.length * sizeOf(shape));
    samples.forEach((sample, i) => {
      inputs.set(read(sample, i), i * sizeOf(shape));
    });
    scaleInputs(inputs, form.input);
    const fed = tf.tensor(inputs, [samples.length, ...shape], "float32");
    const outputs = model.predict(fed) as InstanceType<typeof tf.Tensor>;
    try {
      const values = (await outputs.data()) as Float32Array;
      const width = values.length / samples.length;
      const classes = outputs.shape.at(-1)!;
      return samples.map((_, i) => prediction(values.slice(i * width, (i + 1) * width), task.loss, classes, labels));
    } finally {
      fed.dispose();
      outputs.dispose();
    }
  };
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Reads one sample's numbers. */
function createReader(
  { input, label, columns }: SavedForm,
  isText: boolean,
): (sample: Sample, i: number) => Float32Array {
  const size = sizeOf(input.shape);
  const characters = new Map(isText ? label.classNames?.map((character, number) => [character, number]) : []);

  const numbersOf = (sample: Sample, i: number): number[] => {
    if (typeof sample === "string") return numbersOfText(sample, i);
    if (isRow(sample)) return numbersOfRow(sample, i);
    if (sample.length === size) return Array.from(sample);
    return invalid(
      `Sample ${i} has ${plural(sample.length, "number")}; the model takes ${size}, of the shape [${input.shape.join(", ")}].`,
    );
  };

  const numbersOfRow = (sample: Readonly<Record<string, number>>, i: number): number[] => {
    const names = columns?.inputs;
    if (names === undefined) {
      return invalid(
        `Sample ${i} is an object, but the data has no columns by name; give its ${size} numbers in their order.`,
      );
    }
    return names.map((name) =>
      Object.hasOwn(sample, name)
        ? sample[name]
        : invalid(`Sample ${i} has no "${name}"; it takes ${names.join(", ")}.`),
    );
  };

  const numbersOfText = (sample: string, i: number): number[] => {
    if (!isText) return invalid(`Sample ${i} is a text, but the model takes ${size} numbers.`);
    const last = [...sample].slice(-size);
    if (last.length < size) return invalid(`Sample ${i} has ${last.length} characters; the model takes ${size}.`);
    return last.map(
      (character) =>
        characters.get(character) ??
        invalid(`Sample ${i} has the character ${JSON.stringify(character)}, which the training text does not have.`),
    );
  };

  return (sample, i) => {
    const numbers = numbersOf(sample, i);
    const bad = numbers.findIndex((value) => !Number.isFinite(value) || (input.type === "uint8" && !isByte(value)));
    if (bad >= 0) {
      const range = input.type === "uint8" ? "a whole number from 0 to 255" : "a finite number";
      const name = isRow(sample) ? `"${columns?.inputs[bad]}"` : `Number ${bad}`;
      invalid(`${name} of sample ${i} is ${numbers[bad]}; it must be ${range}.`);
    }
    return Float32Array.from(numbers);
  };
}

const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 255;

/** Whether a sample has its numbers by column. Its `length` does not show that: a column may have this name. */
const isRow = (sample: Sample): sample is Readonly<Record<string, number>> =>
  typeof sample === "object" && !Array.isArray(sample) && !ArrayBuffer.isView(sample);

/** @param classes the size of the last dimension */
function prediction(
  outputs: Float32Array,
  loss: Task["loss"],
  classes: number,
  labels: readonly string[] | undefined,
): Prediction {
  if (loss === "meanSquaredError") return { outputs };
  if (loss === "binaryCrossEntropy") {
    const probabilities = outputs.map((logit) => 1 / (1 + Math.exp(-logit)));
    return outputs.length > 1
      ? { outputs, probabilities }
      : chosen(outputs, probabilities, Number(probabilities[0] > 0.5), labels);
  }
  const probabilities = new Float32Array(outputs.length);
  for (let at = 0; at < outputs.length; at += classes) {
    probabilities.set(softmax(outputs.subarray(at, at + classes)), at);
  }
  const last = probabilities.subarray(-classes);
  return chosen(outputs, probabilities, last.indexOf(Math.max(...last)), labels);
}

function chosen(
  outputs: Float32Array,
  probabilities: Float32Array,
  number: number,
  labels: readonly string[] | undefined,
): Prediction {
  const label = labels?.[number];
  return { outputs, probabilities, class: number, ...(label !== undefined && { label }) };
}

function softmax(logits: Float32Array): Float32Array {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float32Array.from(powers, (power) => power / sum);
}
