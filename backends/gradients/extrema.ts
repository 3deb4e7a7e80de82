import {
  backend_util,
  cast,
  div,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  Max,
  Maximum,
  Min,
  Minimum,
  mul,
  registerGradient,
  reshape,
  sum,
  type Tensor,
  util,
} from "../../tasks/tfjs/core.js";
import { sumToShape } from "./broadcast.js";

/**
 * The gradients of maxima and minima where several elements are the largest or smallest, as TensorFlow has them. tfjs
 * gives each of the tied elements of a reduction the whole gradient, so that equal tokens under a global maximum count
 * as often as they occur; here they share it. If elements of two tensors tie, the first tensor gets the gradient, as
 * with tfjs; but if the tensors are broadcast, the shapes of tfjs's gradients are wrong.
 */
export function registerExtrema(): void {
  reduction(Max, "reductionIndices");
  reduction(Min, "axis");
  ofTwo(Maximum, greaterEqual, less);
  ofTwo(Minimum, lessEqual, greater);
}

/** @param axesName the name of the attribute that holds the axes that are reduced */
function reduction(kernelName: string, axesName: string): void {
  registerGradient({
    kernelName,
    inputsToSave: ["x"],
    outputsToSave: [true],
    gradFunc: (dy, [x, y], attrs) => {
      const axes = util.parseAxisParam((attrs as unknown as Record<string, number | number[]>)[axesName], x.shape);
      const kept = backend_util.expandShapeToKeepDim(
        x.shape.filter((_, axis) => !axes.includes(axis)),
        axes,
      );
      return {
        x: () => {
          const ties = cast(equal(x, reshape(y, kept)), "float32");
          return mul(ties, div(reshape(dy as Tensor, kept), sum(ties, axes, true)));
        },
      };
    },
  });
}

type Comparison = (a: Tensor, b: Tensor) => Tensor;

function ofTwo(kernelName: string, takesFirst: Comparison, takesSecond: Comparison): void {
  registerGradient({
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b]) => {
      const passed = (taken: Tensor, { shape }: Tensor): Tensor =>
        sumToShape(mul(dy as Tensor, cast(taken, "float32")), shape);
      return { a: () => passed(takesFirst(a, b), a), b: () => passed(takesSecond(a, b), b) };
    },
  });
}
