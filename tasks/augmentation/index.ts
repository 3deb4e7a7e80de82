/**
 * Images changed at random before they are trained on. The run's seed, the number of the micro-batch and the image's place
 * in it decide what is done (one stream of random numbers per micro-batch), so every worker that computes the micro-batch
 * sees the same bytes. All of it works on bytes, in whole numbers or in operations that every machine rounds alike.
 */
import { createRandom, seedOf } from "../../shared/random.js";
import type { InputSpec } from "../datasets/dataset.js";
import { autoAugment } from "./auto-augment.js";
import { cropAndFlip, type Image } from "./crop-flip.js";

/** What decides the random numbers of a micro-batch. */
export interface AugmentationKey {
  /** The run's seed. */
  readonly seed: number;
  /** n, the micro-batch's number. */
  readonly microBatch: number;
}

/**
 * @param inputs `samples` images, each of the form's shape [height, width, channels].
 * @returns new bytes, as many as `inputs`.
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
