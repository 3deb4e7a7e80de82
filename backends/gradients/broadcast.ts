import { broadcast_util, broadcastTo, clone, reshape, sum, type Tensor, util } from "../../tasks/tfjs/core.js";

/**
 * The gradient for a tensor of `shape` that was broadcast to the shape of `dy`: sums over the axes it was repeated
 * along. The result is always a new tensor, since tfjs frees a gradient once it has added another to it.
 */
export function sumToShape(dy: Tensor, shape: number[]): Tensor {
  const axes = broadcast_util.getReductionAxes(shape, dy.shape);
  return axes.length === 0 ? withShape(dy, shape) : withShape(sum(dy, axes), shape);
}

/** Repeats the gradient of a reduction along the reduced axes, whose length in `kept` is 1. */
export function spread(dy: Tensor, kept: number[], shape: number[]): Tensor {
  const whole = withShape(dy, kept);
  return util.arraysEqual(kept, shape) ? whole : broadcastTo(whole, shape);
}

/** `x` in this shape; takes an operation only if its shape differs. */
export function withShape(x: Tensor, shape: number[]): Tensor {
  return util.arraysEqual(x.shape, shape) ? clone(x) : reshape(x, shape);
}
