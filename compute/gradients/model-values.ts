/** The values of a model's variables: copied from the shared memories, set, and read. */
import type { Layout, LayoutTensor } from "../../shared/layout/index.js";
import type { LayerVariable } from "../../tasks/index.js";
import { core as tf } from "../../tasks/tfjs/core.js";
import type { Addresses } from "../memory.js";
import type { Copies } from "./copies.js";

/** A tensor of the layout with the variable that holds its values. */
export interface BoundTensor extends LayoutTensor {
  readonly variable: tf.Variable;
}

export interface BoundTensors {
  readonly parameters: readonly BoundTensor[];
  /** The moving statistics of BatchNorm. */
  readonly tail: readonly BoundTensor[];
  /** All but the tail: the parameters and what is frozen. */
  readonly weights: readonly BoundTensor[];
}

export function bindTensors(layout: Layout, variables: ReadonlyMap<string, LayerVariable>): BoundTensors {
  const bound = layout.tensors.map((tensor) => ({
    ...tensor,
    variable: variables.get(tensor.name)!.read() as tf.Variable,
  }));
  return {
    parameters: bound.filter(({ kind }) => kind === "parameter"),
    tail: bound.filter(({ kind }) => kind === "tail"),
    weights: bound.filter(({ kind }) => kind !== "tail"),
  };
}

/** Sets and reads the values of a model's variables. */
export interface LoadableValues {
  /** Copies the weights from the shared memories, except the moving statistics of BatchNorm. */
  loadWeights(): void;
  /** Copies the moving statistics, which only evaluation needs. */
  loadStatistics(): void;
  /** Sets the weights to other values, in the order of `weights`. */
  setWeights(values: readonly Float32Array[]): void;
  /** The current weights; not to be changed. */
  currentWeights(): Float32Array[];
}

/**
 * The content of the tail's variables depends on what is computed next: zeros before a micro-batch, whose own
 * statistics are added to them, and the loaded moving statistics before a batch is evaluated.
 */
export interface ModelValues extends LoadableValues {
  clearStatistics(): void;
  useStatistics(): void;
  dispose(): void;
}

export function createModelValues(
  { weights, tail }: BoundTensors,
  copies: Copies,
  weightsAt: (tensor: LayoutTensor) => Addresses,
): ModelValues {
  const zeros = tail.map(({ shape }) => tf.zeros([...shape]));
  const moving: tf.Tensor[] = tail.map(({ shape }) => tf.zeros([...shape]));
  const setTail = (values: readonly tf.Tensor[]): void => {
    for (const [i, { variable }] of tail.entries()) variable.assign(values[i]);
  };

  return {
    loadWeights() {
      for (const tensor of weights) {
        const values = copies.read(tensor, weightsAt(tensor));
        tensor.variable.assign(values);
        values.dispose();
      }
    },

    loadStatistics() {
      for (const [i, tensor] of tail.entries()) {
        moving[i].dispose();
        moving[i] = copies.read(tensor, weightsAt(tensor));
      }
    },

    setWeights(values) {
      for (const [i, { variable, shape }] of weights.entries()) {
        const tensor = tf.tensor(values[i], [...shape]);
        variable.assign(tensor);
        tensor.dispose();
      }
    },

    currentWeights: () => weights.map(({ variable }) => variable.dataSync() as Float32Array),
    clearStatistics: () => setTail(zeros),
    useStatistics: () => setTail(moving),
    dispose: () => tf.dispose([...zeros, ...moving]),
  };
}
