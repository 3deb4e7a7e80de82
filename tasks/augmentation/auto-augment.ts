/**
 * AutoAugment's policy for CIFAR-10 (Cubuk et al. 2019, table 7), with the magnitudes that torchvision's
 * `AutoAugmentPolicy.CIFAR10` gives its ten levels: one of 25 pairs of operations is drawn, and each operation of the pair
 * is done with its own probability and, where it has a direction, a drawn sign.
 */
import type { Random } from "../../shared/random.js";
import type { Image } from "./crop-flip.js";
import * as operations from "./operations.js";

type Name =
  | ("Invert" | "AutoContrast" | "Equalize" | "Posterize" | "Solarize" | "Contrast" | "Color" | "Brightness")
  | ("Sharpness" | "Rotate" | "ShearY" | "TranslateX" | "TranslateY");

/** An operation, its probability, and its level from 0 to 9, where it has one. */
type Step = readonly [name: Name, probability: number, level?: number];

export const POLICY: readonly (readonly [Step, Step])[] = [
  [
    ["Invert", 0.1],
    ["Contrast", 0.2, 6],
  ],
  [
    ["Rotate", 0.7, 2],
    ["TranslateX", 0.3, 9],
  ],
  [
    ["Sharpness", 0.8, 1],
    ["Sharpness", 0.9, 3],
  ],
  [
    ["ShearY", 0.5, 8],
    ["TranslateY", 0.7, 9],
  ],
  [
    ["AutoContrast", 0.5],
    ["Equalize", 0.9],
  ],
  [
    ["ShearY", 0.2, 7],
    ["Posterize", 0.3, 7],
  ],
  [
    ["Color", 0.4, 3],
    ["Brightness", 0.6, 7],
  ],
  [
    ["Sharpness", 0.3, 9],
    ["Brightness", 0.7, 9],
  ],
  [
    ["Equalize", 0.6],
    ["Equalize", 0.5],
  ],
  [
    ["Contrast", 0.6, 7],
    ["Sharpness", 0.6, 5],
  ],
  [
    ["Color", 0.7, 7],
    ["TranslateX", 0.5, 8],
  ],
  [
    ["Equalize", 0.3],
    ["AutoContrast", 0.4],
  ],
  [
    ["TranslateY", 0.4, 3],
    ["Sharpness", 0.2, 6],
  ],
  [
    ["Brightness", 0.9, 6],
    ["Color", 0.2, 8],
  ],
  [
    ["Solarize", 0.5, 2],
    ["Invert", 0],
  ],
  [
    ["Equalize", 0.2],
    ["AutoContrast", 0.6],
  ],
  [
    ["Equalize", 0.2],
    ["Equalize", 0.6],
  ],
  [
    ["Color", 0.9, 9],
    ["Equalize", 0.6],
  ],
  [
    ["AutoContrast", 0.8],
    ["Solarize", 0.2, 8],
  ],
  [
    ["Brightness", 0.1, 3],
    ["Color", 0.7, 0],
  ],
  [
    ["Solarize", 0.4, 5],
    ["AutoContrast", 0.9],
  ],
  [
    ["TranslateY", 0.9, 9],
    ["TranslateY", 0.7, 9],
  ],
  [
    ["AutoContrast", 0.9],
    ["Solarize", 0.8, 3],
  ],
  [
    ["Equalize", 0.8],
    ["Invert", 0.1],
  ],
  [
    ["TranslateY", 0.7, 9],
    ["AutoContrast", 0.9],
  ],
];

const LEVEL_MAX = 9;
/** The rotation of level 2, the policy's only one: 6⅔ degrees. Written out: engines may differ in a sine's last bit. */
const ROTATION = { level: 2, cosine: 0.993238357741943, sine: 0.116092914125231 };
const SHIFT_MAX = 150 / 331;

/** What an operation does at a level, in the direction `sign` (1 or −1) if it has one. */
export function operationOf(name: Name, level: number, sign: number): (image: Image) => Uint8Array {
  const share = level / LEVEL_MAX;
  const factor = 1 + sign * levelOf(0.9, level);
  const shift = (size: number): number => sign * Math.trunc(SHIFT_MAX * size * share);
  switch (name) {
    case "Invert":
      return operations.invert;
    case "AutoContrast":
      return operations.autoContrast;
    case "Equalize":
      return operations.equalize;
    case "Posterize":
      return operations.posterize(8 - Math.round(4 * share));
    case "Solarize":
      return operations.solarize(255 - 255 * share);
    case "Contrast":
      return operations.contrast(factor);
    case "Color":
      return operations.color(factor);
    case "Brightness":
      return operations.brightness(factor);
    case "Sharpness":
      return operations.sharpness(factor);
    case "Rotate":
      if (level !== ROTATION.level) throw new RangeError(`no rotation of level ${level}`);
      return operations.rotate(ROTATION.cosine, sign * ROTATION.sine);
    case "ShearY":
      return operations.shearY(sign * 0.3 * share);
    case "TranslateX":
      return (image) => operations.translate(shift(image.width), 0)(image);
    case "TranslateY":
      return (image) => operations.translate(0, shift(image.height))(image);
  }
}

/** The level's share of `most` as torchvision's float32 table has it: a blend rounds down, so the last bit shows. */
function levelOf(most: number, level: number): number {
  const step = Math.fround(Math.fround(most) / LEVEL_MAX);
  const fromStart = level <= LEVEL_MAX / 2;
  return Math.fround(fromStart ? step * level : Math.fround(most) - Math.fround(step * (LEVEL_MAX - level)));
}

/** @returns the bytes of the augmented image. */
export function autoAugment(image: Image, random: Random): Uint8Array {
  let { bytes } = image;
  for (const [name, probability, level = 0] of POLICY[random.below(POLICY.length)]) {
    // Both are always drawn, so that later numbers don't depend on what was done.
    const happens = random.next() < probability;
    const sign = random.below(2) === 0 ? -1 : 1;
    if (happens) bytes = operationOf(name, level, sign)({ ...image, bytes });
  }
  return bytes;
}
