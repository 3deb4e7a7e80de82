/**
 * The indices among a sample's numbers: what a layer looks up must be a whole number that its table has. The server
 * checks all samples before the start; workers check each batch as they decode it, since it came over the network and
 * a GPU looks up nonsense without complaint.
 */
import type { IndexInput, LookUp } from "./input-uses.js";

/** A number that the layer has no row for. */
export interface IndexFault {
  /** The sample's number in the batch, from 0. */
  readonly sample: number;
  /** The number's place in the sample, row-major, from 0. */
  readonly element: number;
  readonly value: number;
  readonly layer: LookUp;
}

/** @param inputs decoded, `samples` rows. @returns the first fault, if there is one. */
export type IndexCheck = (inputs: Float32Array, samples: number) => IndexFault | undefined;

/** One or two comparisons per number and layer: next to nothing compared with the computation of a batch. */
export function createIndexCheck(indices: readonly IndexInput[]): IndexCheck {
  return (inputs, samples) => {
    const width = inputs.length / samples;
    for (const { layer, elements } of indices) {
      const at =
        elements.length === width
          ? firstAmongAll(inputs, layer.limit)
          : firstAmong(inputs, width, elements, layer.limit);
      if (at >= 0) return { sample: Math.floor(at / width), element: at % width, value: inputs[at], layer };
    }
    return undefined;
  };
}

/** The index of the first number that is not a whole one in [0, limit), where limit is below 2³¹; -1 if there is none. */
function firstAmongAll(inputs: Float32Array, limit: number): number {
  for (let i = 0; i < inputs.length; i++) {
    const value = inputs[i];
    const whole = value | 0;
    if (whole !== value || whole < 0 || whole >= limit) return i;
  }
  return -1;
}

/** The same for some elements of each row. */
function firstAmong(inputs: Float32Array, width: number, elements: Uint32Array, limit: number): number {
  for (let row = 0; row < inputs.length; row += width) {
    for (let i = 0; i < elements.length; i++) {
      const value = inputs[row + elements[i]];
      const whole = value | 0;
      if (whole !== value || whole < 0 || whole >= limit) return row + elements[i];
    }
  }
  return -1;
}

/** What is wrong with a number, as the end of a sentence that starts with the number's place. */
export function describeIndexFault({ value, layer }: Pick<IndexFault, "value" | "layer">): string {
  const { className, path, field, limit } = layer;
  return `is ${value}, but the ${className} layer "${path}" has ${field} ${limit}: it takes whole numbers from 0 to ${limit - 1}`;
}
