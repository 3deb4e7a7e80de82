import {
  GatherV2,
  getGradient,
  registerGradient,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  unsortedSegmentSum,
  util,
} from "../../tasks/tfjs/core.js";
import { withShape } from "./broadcast.js";

/**
 * The gradient of looking up rows of a table, as an embedding does: a row's gradient is the sum of its copies'
 * gradients. tfjs's own, which is kept for other axes, first transposes both, although their axes are already in order.
 */
export function registerGather(): void {
  const original = getGradient(GatherV2);
  registerGradient({
    kernelName: GatherV2,
    inputsToSave: ["x", "indices"],
    gradFunc: (anyDy, [table, indices], attrs) => {
      const { axis, batchDims } = attrs as unknown as { axis: number; batchDims: number };
      const [at] = util.parseAxisParam(axis, table.shape);
      if (at !== 0 || (batchDims ?? 0) !== 0) return original.gradFunc(anyDy, [table, indices], attrs);
      return {
        x: () => {
          const copies = withShape(anyDy as Tensor, [indices.size, ...table.shape.slice(1)]) as Tensor2D;
          return unsortedSegmentSum(copies, withShape(indices, [indices.size]) as Tensor1D, table.shape[0]);
        },
        indices: () => indices,
      };
    },
  });
}
