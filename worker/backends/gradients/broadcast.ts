import { broadcast_util, reshape, sum, type Tensor } from "../../../tasks/tfjs/core.js";

/** The gradient for a tensor of `shape` that was broadcast to the shape of `dy`: sums over the axes it was repeated along. */
export function sumToShape(dy: Tensor, shape: number[]): Tensor {
  const axes = broadcast_util.getReductionAxes(shape, dy.shape);
  return axes.length === 0 ? dy : reshape(sum(dy, axes), shape);
}
