import { broadcast_util, broadcastTo, clone, reshape, sum, type Tensor, util } from "../../../tasks/tfjs/core.js";

/**
 * The gradient for a tensor of `shape` that was broadcast to the shape of `dy`: sums over the axes it was repeated along.
 * A tensor of its own in any case, since tfjs frees a gradient once it has added another to it.
 */
export function sumToShape(dy: Tensor, shape: number[]): Tensor {
  const axes = broadcast_util.getReductionAxes(shape, dy.shape);
  return axes.length === 0 ? withShape(dy, shape) : withShape(sum(dy, axes), shape);
}

/** The gradient for what was reduced along some axes, which are of length 1 in `kept`: it is the same along each. */
export function spread(dy: Tensor, kept: number[], shape: number[]): Tensor {
  const whole = withShape(dy, kept);
  return util.arraysEqual(kept, shape) ? whole : broadcastTo(whole, shape);
}

/** `x` in another shape; an operation only if it is another one. */
export function withShape(x: Tensor, shape: number[]): Tensor {
  return util.arraysEqual(x.shape, shape) ? clone(x) : reshape(x, shape);
}
