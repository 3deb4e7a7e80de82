import { ResizeBilinearGrad, ResizeNearestNeighborGrad, util } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { nearestPoints, type ResizeAttributes } from "../resizing.js";
import { tensorOf, valuesOf } from "./values.js";

/**
 * The gradients of resizing, which upsampling needs: the backend's own confuses the images of a batch for the nearest
 * neighbour, and the height and width of the result for bilinear resizing.
 */
export function registerResizeGradients(): void {
  replaceKernel("cpu", ResizeNearestNeighborGrad, resizeNearestGradient);
  replaceKernel("cpu", ResizeBilinearGrad, (call: KernelCall<{ images: TensorInfo }, unknown>, original) => {
    const dx = original!(call as never) as TensorInfo;
    return { ...dx, shape: call.inputs.images.shape };
  });
}

function resizeNearestGradient(call: KernelCall<{ images: TensorInfo; dy: TensorInfo }, ResizeAttributes>): TensorInfo {
  const { inputs, attrs, backend } = call;
  const { shape } = inputs.images;
  const channels = shape[3];
  const dy = valuesOf(backend, inputs.dy);
  const dx = new Float64Array(util.sizeFromShape(shape));
  nearestPoints(shape, inputs.dy.shape, attrs).forEach((point, i) => {
    for (let c = 0; c < channels; c++) dx[point * channels + c] += dy[i * channels + c];
  });
  return tensorOf(backend, shape, dx);
}
