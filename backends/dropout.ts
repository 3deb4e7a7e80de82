/**
 * Dropout by key: the same key drops the same elements on every backend, to the bit.
 *
 * Element i of the mask, in row-major order, is word i mod 4 of block ⌊i / 4⌋ of the key's stream (`philox.ts`). Its
 * lower 23 bits, divided by 2^23, are a number u in [0, 1), as TensorFlow makes it; the element is kept where u < keep.
 * A kept element is multiplied by `scale` and a dropped one by 0, as are their gradients; keep is 1 − rate and scale is
 * 1 / keep, each rounded to float32 once.
 *
 * The mask is drawn where it is used, and kept for the backward pass, at one byte per element.
 */
import { engine, type Tensor, tensor, tidy } from "../tasks/tfjs/core.js";

/**
 * The name of our kernel that draws a mask: input key (two int32), attributes `MaskAttributes`, output of type bool.
 */
export const DROPOUT_MASK = "IsobatchDropoutMask";

export interface MaskAttributes {
  readonly shape: number[];
  /** Float32. */
  readonly keep: number;
}

/**
 * The name of our kernel that applies one: inputs x and mask, whose shape broadcasts to that of x, attributes
 * `DropoutAttributes`, output x · (mask ? scale : 0).
 */
export const DROPOUT = "IsobatchDropout";

export interface DropoutAttributes {
  /** Float32. */
  readonly scale: number;
}

/** The attributes of both kernels for a rate in (0, 1). */
function dropoutFactors(rate: number): Pick<MaskAttributes, "keep"> & DropoutAttributes {
  const keep = Math.fround(1 - rate);
  return { keep, scale: Math.fround(1 / keep) };
}

/** How many of the 2^23 values of a word's lower bits are kept: so a mask takes integers only. */
export const keptValues = ({ keep }: Pick<MaskAttributes, "keep">): number => Math.ceil(keep * 2 ** 23);

/**
 * @param key two integers of 32 bits
 * @param rate in (0, 1)
 * @param noiseShape the mask's, which broadcasts to that of x; by default that of x
 */
export function dropout(x: Tensor, key: Int32Array, rate: number, noiseShape: readonly number[] = x.shape): Tensor {
  const { keep, scale } = dropoutFactors(rate);
  const axis = x.shape.length - noiseShape.length;
  if (axis < 0 || !noiseShape.every((length, i) => length === 1 || length === x.shape[axis + i])) {
    throw new Error(
      `A dropout's noiseShape is [${noiseShape}]; each of its lengths must be 1 or that of [${x.shape}].`,
    );
  }
  return tidy(() => {
    const attributes = { shape: [...noiseShape], keep };
    const mask: Tensor = engine().runKernel(DROPOUT_MASK, { key: tensor(key, [2], "int32") }, attributes);
    return engine().runKernel(DROPOUT, { x, mask }, { scale });
  });
}
