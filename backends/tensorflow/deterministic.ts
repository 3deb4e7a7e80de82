/**
 * Operations that TensorFlow refuses on a GPU when operations have to be deterministic. There they are composed of
 * others that it does not refuse; on a CPU its own are kept.
 */
import { core as tf } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import type { ResizeAttributes } from "../resizing.js";
import { isOnGpu } from "./operation.js";

export function registerDeterministic(): void {
  replaceKernel("tensorflow", tf.DenseBincount, (call: BincountCall, original) =>
    isOnGpu(call.backend) ? bincount(call) : (original!(call as never) as TensorInfo),
  );
  replaceKernel("tensorflow", tf.ResizeNearestNeighborGrad, (call: ResizeCall, original) =>
    isOnGpu(call.backend) && enlargesWhole(call) ? nearestGradient(call) : (original!(call as never) as TensorInfo),
  );
}

type BincountCall = KernelCall<{ x: tf.Tensor; weights: tf.Tensor }, { size: number; binaryOutput: boolean }>;

/** Adds the weight of each number to that number's bin; each row has its own bins. */
function bincount({ inputs: { x, weights }, attrs: { size, binaryOutput } }: BincountCall): TensorInfo {
  return tf.tidy(() => {
    const rows = x.shape.length === 2 ? x.shape[0] : 1;
    const starts = tf.tensor(
      Int32Array.from({ length: rows }, (_, row) => row * size),
      [rows, 1],
    );
    const places = tf.reshape(tf.add(tf.reshape(x, [rows, -1]), starts), [x.size]) as tf.Tensor1D;
    const terms = binaryOutput || weights.size === 0 ? tf.ones([x.size]) : tf.reshape(weights, [x.size]);
    const sums = tf.unsortedSegmentSum(terms, places, rows * size);
    const bins = binaryOutput ? tf.cast(tf.greater(sums, 0), "float32") : sums;
    return tf.reshape(bins, [...x.shape.slice(0, -1), size]);
  });
}

type ResizeCall = KernelCall<{ images: tf.Tensor; dy: tf.Tensor }, ResizeAttributes>;

/** Whether each point is copied as often as every other, as upsampling does. */
const enlargesWhole = ({ inputs: { images, dy }, attrs }: ResizeCall): boolean =>
  !attrs.alignCorners && [1, 2].every((axis) => dy.shape[axis] % images.shape[axis] === 0);

/** Adds up each point's copies, first within its row, then within its column. */
function nearestGradient({ inputs: { images, dy } }: ResizeCall): TensorInfo {
  return tf.tidy(() => {
    const [batch, height, width, channels] = images.shape;
    const [, outHeight, outWidth] = dy.shape;
    const [down, across] = [outHeight / height, outWidth / width];
    const rows = tf.sum(tf.reshape(dy, [batch * outHeight * width, across, channels]), 1);
    const points = tf.sum(tf.reshape(rows, [batch * height, down, width * channels]), 1);
    return tf.reshape(points, images.shape);
  });
}
