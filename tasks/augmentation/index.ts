/**
 * Images changed at random before they are trained on. What is done to an image is decided by the run's seed, the number
 * of its micro-batch and its place in there (one stream of random numbers a micro-batch), so whoever computes the micro-batch sees the same bytes; and it is all
 * done to bytes, in whole numbers or in operations that every machine rounds alike.
 */
import { createRandom, seedOf } from "../../shared/random.js";
import type { InputSpec } from "../datasets/dataset.js";
import { autoAugment } from "./auto-augment.js";
import { cropAndFlip, type Image } from "./crop-flip.js";

/** What the randomness of a micro-batch follows from. */
export interface AugmentationKey {
  /** The run's. */
  readonly seed: number;
  /** n. */
  readonly microBatch: number;
}

/**
 * @param inputs `samples` images, each of the form's shape [height, width, channels].
 * @returns as many bytes anew.
 */
export function augmentBatch(
  { shape: [height, width, channels], augment }: InputSpec,
  inputs: Uint8Array,
  samples: number,
  { seed, microBatch }: AugmentationKey,
): Uint8Array {
  const result = new Uint8Array(inputs.length);
  const size = inputs.length / samples;
  const random = createRandom(seedOf(seed, "augmentation", microBatch));
  for (let i = 0; i < samples; i++) {
    const image: Image = { height, width, channels, bytes: inputs.subarray(i * size, (i + 1) * size) };
    const cropped = cropAndFlip(image, random);
    result.set(augment === "autoaugment" ? autoAugment({ ...image, bytes: cropped }, random) : cropped, i * size);
  }
  return result;
}
