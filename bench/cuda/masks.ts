/** Dropout's masks for a few shapes, keys and rates, as the open backend draws them. */
import { createHash } from "node:crypto";
import { dropout } from "../../backends/index.js";
import { keyOf } from "../../shared/random.js";
import { core as tf } from "../../tasks/tfjs/core.js";
import type { CheckSize } from "./report.js";

export interface MaskCase {
  readonly key: Int32Array;
  readonly shape: readonly number[];
  readonly rate: number;
}

/** Large masks; the GPU's are those of the GPT, for what a block adds and for its attention. */
const LARGE: Readonly<Record<CheckSize, readonly (readonly number[])[]>> = {
  gpu: [
    [16, 256, 384],
    [16, 6, 256, 256],
  ],
  cpu: [[4, 64, 384]],
  quick: [[2, 16, 64]],
};

export const maskCases = (size: CheckSize): MaskCase[] => [
  { key: Int32Array.of(0, 0), shape: [16], rate: 0.5 },
  { key: Int32Array.of(-1, 1), shape: [3, 5, 7], rate: 0.1 },
  { key: Int32Array.of(2 ** 31 - 1, -(2 ** 31)), shape: [1001], rate: 0.9 },
  // A rate that is not a multiple of 2^-23, so that rounding could change which elements are kept.
  { key: keyOf(5, "drop", 1, 73), shape: [4096], rate: 1 / 3 },
  ...LARGE[size].map((shape, i) => ({ key: keyOf(5, "large", i), shape, rate: 0.2 })),
];

/** The factor that each element is multiplied by. */
export function factorsOf({ key, shape, rate }: MaskCase): Float32Array {
  return tf.tidy(() => dropout(tf.ones([...shape]), key, rate).dataSync() as Float32Array).slice();
}

export const digestOf = ({ buffer, byteOffset, byteLength }: Float32Array): string =>
  createHash("sha256")
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest("hex");
