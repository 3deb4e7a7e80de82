/**
 * The cases of reference.json, which reference.py makes with Keras: their form, their input numbers (from the same generator
 * as there), and their models in tfjs.
 */
import { readFileSync } from "node:fs";
import type * as core from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-layers";
import { type Layer, type Loss, tensorflow } from "../../tasks/index.js";

export interface LayerSpec {
  /** The class; undefined for a nested model and for another call of an earlier layer. */
  readonly layer?: string;
  readonly model?: GraphSpec;
  /** The number of the layer that is called again. */
  readonly same?: number;
  /** Its inputs: numbers of the model's inputs, then of each layer's outputs. */
  readonly of?: readonly number[];
  readonly [field: string]: unknown;
}

interface InputSpec {
  readonly shape: readonly number[];
  /** Inputs are whole numbers in [0, tokens). */
  readonly tokens?: number;
  /** Some steps are zeros. */
  readonly absent?: boolean;
}

interface GraphSpec {
  readonly sequential?: boolean;
  readonly inputs: readonly InputSpec[];
  readonly layers: readonly LayerSpec[];
}

export interface KerasCase extends GraphSpec {
  /** The class of the layer under test. */
  readonly layer: string;
  readonly name: string;
  readonly training?: boolean;
  /** The shape of the output, without the batch. */
  readonly shape: readonly number[];
  /** Projections of the output and of the gradient for each weight and each real-valued input. */
  readonly output: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

/** A loss whose outputs have a mask. */
export interface KerasLoss {
  readonly name: string;
  readonly loss: Loss;
  /** The shape of the outputs, without the batch. */
  readonly shape: readonly number[];
  readonly labelSmoothing: number;
  readonly value: number;
  /** Projections of the gradient for the outputs. */
  readonly gradient: readonly number[];
}

export interface KerasReference {
  readonly keras: string;
  readonly tensorflow: string;
  readonly batch: number;
  readonly projections: number;
  readonly cases: readonly KerasCase[];
  readonly losses: readonly KerasLoss[];
}

export function readReference(): KerasReference {
  // The path starts in dist/bench/keras; the file is not copied there.
  const file = new URL("../../../bench/keras/reference.json", import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as KerasReference;
}

/** Numbers in [−1, 1) that are exact in float32, by name: FNV-1a seeds a linear congruential generator. */
export function numbers(name: string, size: number): Float32Array {
  let seed = 2166136261;
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 16777619) >>> 0;
  return Float32Array.from({ length: size }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) / 2 ** 23 - 1;
  });
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** The values of the case's inputs, with the batch dimension. */
export function inputTensors({ name, inputs }: KerasCase, batch: number): core.Tensor[] {
  return inputs.map(({ shape: sample, tokens, absent }, i) => {
    const shape = [batch, ...sample];
    const values = numbers(`${name}/input ${i}`, sizeOf(shape));
    if (tokens !== undefined) {
      const whole = Int32Array.from(values, (value) => Math.floor(((value + 1) / 2) * tokens));
      return tensorflow.tensor(whole, shape, "int32");
    }
    if (absent) {
      const steps = shape[0] * shape[1];
      const width = values.length / steps;
      for (const [k, step] of numbers(`${name}/absent ${i}`, steps).entries()) {
        if (step < -0.4) values.fill(0, k * width, (k + 1) * width);
      }
    }
    return tensorflow.tensor(values, shape);
  });
}

export interface BuiltCase {
  readonly model: tf.LayersModel;
  /** Trained weights first, then the statistics of BatchNormalization. */
  readonly weights: tf.LayerVariable[];
  readonly trained: number;
}

/** The case's model in tfjs, with its weights set. */
export function buildCase(example: KerasCase): BuiltCase {
  const { model, layers } = build(example);
  const unique = [...new Set(layers)];
  const trained = unique.flatMap((layer) => layer.trainableWeights);
  const weights = [...trained, ...unique.flatMap((layer) => layer.nonTrainableWeights)];
  tensorflow.tidy(() => {
    for (const [k, weight] of weights.entries()) {
      const shape = weight.shape as number[];
      const values = numbers(`${example.name}/weight ${k}`, sizeOf(shape));
      const positive = weight.originalName.endsWith("moving_variance");
      weight.write(tensorflow.tensor(positive ? values.map((value) => value + 1.5) : values, shape));
    }
  });
  return { model, weights, trained: trained.length };
}

function build(spec: GraphSpec): { model: tf.LayersModel; layers: Layer[] } {
  if (spec.sequential) {
    const layers = spec.layers.map((layer, i) =>
      makeLayer(i === 0 ? { ...layer, inputShape: spec.inputs[0].shape } : layer),
    );
    return { model: tf.sequential({ layers }), layers };
  }
  const inputs = spec.inputs.map(({ shape, tokens }) =>
    tf.input({ shape: [...shape], dtype: tokens === undefined ? "float32" : "int32" }),
  );
  const tensors = [...inputs];
  const layers: Layer[] = [];
  for (const layerSpec of spec.layers) {
    const { same, of = [tensors.length - 1] } = layerSpec;
    const layer = same === undefined ? makeLayer(layerSpec) : layers[same];
    layers.push(layer);
    const given = of.map((i) => tensors[i]);
    const made = layer.apply(given.length === 1 ? given[0] : given) as tf.SymbolicTensor | tf.SymbolicTensor[];
    tensors.push(...(Array.isArray(made) ? made : [made]));
  }
  return { model: tf.model({ inputs, outputs: tensors.at(-1)! }), layers };
}

type LayerClass = new (config: Record<string, unknown>) => Layer;

function makeLayer({ layer: className, model, of: _of, ...fields }: LayerSpec): Layer {
  if (model !== undefined) return build(model).model;
  const config = Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [field === "wraps" ? "layer" : field, withLayers(value)]),
  );
  const [layerClass] = tensorflow.serialization.SerializationMap.getMap().classNameMap[
    className as string
  ] as unknown as [LayerClass];
  return new layerClass(config);
}

function withLayers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLayers);
  const isLayer = typeof value === "object" && value !== null && ("layer" in value || "model" in value);
  return isLayer ? makeLayer(value as LayerSpec) : value;
}
