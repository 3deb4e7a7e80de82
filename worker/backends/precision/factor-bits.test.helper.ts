/** What a product shows of the precision that it was computed in. */
import { core as tf } from "../../../tasks/tfjs/core.js";

/** Of every axis of the matrices, and of the channels: large enough for a GPU to use its tensor cores. */
const SIZE = 128;
const MANTISSA = 23;

/** Products of which every element is x · 1 beside zeros: nothing but the precision of factors can change them. */
const PRODUCTS = {
  matrices(x: number, size: number): tf.Tensor {
    const columns = tf.pad(tf.fill([size, 1], x), [
      [0, 0],
      [0, size - 1],
    ]);
    const rows = tf.pad(tf.ones([1, size]), [
      [0, size - 1],
      [0, 0],
    ]);
    return tf.matMul(columns, rows);
  },
  convolution(x: number, size: number): tf.Tensor {
    const images = tf.pad(tf.fill([2, 8, 8, 1], x), [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, size - 1],
    ]);
    const filter = tf.pad(tf.ones([1, 1, 1, size]), [
      [1, 1],
      [1, 1],
      [0, size - 1],
      [0, 0],
    ]);
    return tf.conv2d(images as tf.Tensor4D, filter as tf.Tensor4D, 1, "same");
  },
};

export type ProductKind = keyof typeof PRODUCTS;
export const PRODUCT_KINDS = Object.keys(PRODUCTS) as ProductKind[];

/**
 * How many bits of mantissa such a product takes of its factors on the current backend: the most with which 1 + 2^-bits is not
 * rounded.
 */
export function factorBits(kind: ProductKind, size = SIZE): number {
  let bits = 0;
  while (bits < MANTISSA && keeps(kind, 1 + 2 ** -(bits + 1), size)) bits++;
  return bits;
}

/** Whether every element of the product of x by 1 is x. */
function keeps(kind: ProductKind, x: number, size: number): boolean {
  const product = tf.tidy(() => PRODUCTS[kind](x, size));
  const found = product.dataSync();
  product.dispose();
  return found.every((element) => element === x);
}
