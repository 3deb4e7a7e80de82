/** Finds the precision that a product is computed in. */
import { core as tf } from "../../tasks/tfjs/core.js";

/** The length of the matrices' axes, and the number of channels: large enough for a GPU to use its tensor cores. */
const SIZE = 128;
const MANTISSA = 23;

/** Products each of whose elements is x · 1 plus zeros: only the precision of factors can change them. */
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
 * The bits of mantissa that such a product uses of its factors on the current backend: the most for which 1 + 2^-bits
 * is not rounded.
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
