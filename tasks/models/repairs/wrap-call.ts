import { serialization, type Tensor } from "../../tfjs/core.js";
// Registers tfjs's layers.
import "../../tfjs/layers.js";

export type Call<Layer> = (this: Layer, inputs: Tensor | Tensor[], options: Record<string, unknown>) => Tensor;

/** Replaces the `call` of a registered class by the function that `wrap` makes of it. */
export function wrapCall<Layer>(className: string, wrap: (original: Call<Layer>) => Call<Layer>): void {
  const [layer] = serialization.SerializationMap.getMap().classNameMap[className];
  const prototype = (layer as unknown as { prototype: { call: Call<Layer> } }).prototype;
  prototype.call = wrap(prototype.call);
}

export const single = (inputs: Tensor | Tensor[]): Tensor => (Array.isArray(inputs) ? inputs[0] : inputs);
