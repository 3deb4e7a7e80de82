/**
 * The indices among a sample's numbers: what a layer looks up must be a whole number that its table has. The server
 * checks all samples before the start; workers check each batch as they decode it, since it came over the network and
 * a GPU looks up nonsense without complaint.
 */
import type { IndexInput, LookUp } from "./input-uses.js";

/** A number that the layer has no row for. */
export interface IndexFault {
  /** Of the batch, from 0. */
  readonly sample: number;
  /** Of the sample, row-major, from 0. */
  readonly element: number;
  readonly value: number;
  readonly layer: LookUp;
}

/** @param inputs decoded, `samples` rows. @returns the first fault, if there is one. */
export type IndexCheck = (inputs: Float32Array, samples: number) => IndexFault | undefined;

/** One comparison a number and layer: nothing beside what is computed with a batch. */
export function createIndexCheck(indices: readonly IndexInput[]): IndexCheck {
  return (inputs, samples) => {
    const width = inputs.length / samples;
    for (const { layer, elements } of indices) {
      const { limit } = layer;
      for (let sample = 0; sample < samples; sample++) {
        const row = sample * width;
        for (let i = 0; i < elements.length; i++) {
          const value = inputs[row + elements[i]];
          if (value >= 0 && value < limit && Math.trunc(value) === value) continue;
          return { sample, element: elements[i], value, layer };
        }
      }
    }
    return undefined;
  };
}

/** What is wrong with the number, after the words that say which one it is. */
export function describeIndexFault({ value, layer }: Pick<IndexFault, "value" | "layer">): string {
  const { className, path, field, limit } = layer;
  return `is ${value}, but the ${className} layer "${path}" has ${field} ${limit}: it takes whole numbers from 0 to ${limit - 1}`;
}
