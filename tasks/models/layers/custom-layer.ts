import { tensorflow as tf } from "../tensorflow.js";

export type Tensor = InstanceType<typeof tf.Tensor>;
export type TensorShape = (number | null)[];
export type Config = Record<string, unknown>;

/** The options that tfjs hands to a layer's `call`. */
export interface LayerCallOptions {
  readonly training?: boolean;
  /** 0 where a position is masked, else 1; shape [batch, length]. */
  readonly mask?: Tensor;
}

/** The input of a layer that has one. */
export const single = (inputs: Tensor | Tensor[]): Tensor => (Array.isArray(inputs) ? inputs[0] : inputs);

export const singleShape = (shape: TensorShape | TensorShape[]): TensorShape =>
  (Array.isArray(shape[0]) ? shape[0] : shape) as TensorShape;

/** A whole number of at least 1 from a layer's configuration, which may have come over the network. */
export function sizeField(className: string, field: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw new RangeError(`${className}'s ${field} is ${JSON.stringify(value)}; it must be a whole number of at least 1`);
}

/** A number of at least 0 from a layer's configuration. */
export function numberField(className: string, field: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && Number.isFinite(value)) return value;
  throw new RangeError(`${className}'s ${field} is ${JSON.stringify(value)}; it must be a number of at least 0`);
}

export const normal = (stddev: number) => tf.initializers.randomNormal({ mean: 0, stddev });
