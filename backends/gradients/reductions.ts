import { backend_util, div, Mean, registerGradient, Sum, scalar, type Tensor, util } from "../../tasks/tfjs/core.js";
import { spread, withShape } from "./broadcast.js";

/**
 * The gradients of sums and means, with the bits of tfjs's own. tfjs's multiply by a tensor of ones of the input's
 * shape, which JavaScript fills each time: 600 MB for a micro-batch of a ResNet-18.
 */
export function registerReductions(): void {
  reduction(Sum, (dy) => dy);
  reduction(Mean, (dy, count) => div(dy, scalar(count)));
}

/** @param share returns the part of `dy` that each element gets where `count` elements were reduced to one */
function reduction(kernelName: string, share: (dy: Tensor, count: number) => Tensor): void {
  registerGradient({
    kernelName,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => {
      const axes = util.parseAxisParam((attrs as unknown as { axis: number | number[] }).axis, x.shape);
      const kept = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
      const [, reduced] = backend_util.computeOutAndReduceShapes(x.shape, axes);
      return { x: () => spread(share(withShape(dy as Tensor, kept), util.sizeFromShape(reduced)), kept, x.shape) };
    },
  });
}
