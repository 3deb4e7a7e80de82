import { ResizeBilinearGrad, ResizeNearestNeighborGrad } from "@tensorflow/tfjs-core";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { tensorOf, valuesOf } from "./values.js";

/**
 * The gradients of resizing, as upsampling has them: the backend's own mixes up a batch's images for the nearest
 * neighbour, and height and width of the result for the bilinear kind.
 */
export function registerResizeGradients(): void {
  replaceKernel("cpu", ResizeNearestNeighborGrad, resizeNearestGradient);
  replaceKernel("cpu", ResizeBilinearGrad, (call: KernelCall<{ images: TensorInfo }, unknown>, original) => {
    const dx = original!(call as never) as TensorInfo;
    return { ...dx, shape: call.inputs.images.shape };
  });
}

interface ResizeAttributes {
  alignCorners: boolean;
  halfPixelCenters?: boolean;
}

function resizeNearestGradient(call: KernelCall<{ images: TensorInfo; dy: TensorInfo }, ResizeAttributes>): TensorInfo {
  const { inputs, attrs, backend } = call;
  const [batch, height, width, channels] = inputs.images.shape;
  const [, outHeight, outWidth] = inputs.dy.shape;
  const rows = sources(height, outHeight, attrs);
  const columns = sources(width, outWidth, attrs);
  const dy = valuesOf(backend, inputs.dy);
  const dx = new Float64Array(batch * height * width * channels);
  let y = 0;
  for (let n = 0; n < batch; n++) {
    for (const row of rows) {
      for (const column of columns) {
        const x = ((n * height + row) * width + column) * channels;
        for (let c = 0; c < channels; c++) dx[x + c] += dy[y++];
      }
    }
  }
  return tensorOf(backend, inputs.images.shape, dx);
}

/** Which of `size` inputs each of `out` outputs copies, by the rule of tfjs's forward kernel. */
function sources(size: number, out: number, { alignCorners, halfPixelCenters }: ResizeAttributes): number[] {
  const aligned = alignCorners && out > 1;
  const scale = aligned ? (size - 1) / (out - 1) : size / out;
  return Array.from({ length: out }, (_, i) => {
    const from = halfPixelCenters ? scale * (i + 0.5) : scale * i;
    const nearest = Math.min(size - 1, alignCorners ? Math.round(from) : Math.floor(from));
    return halfPixelCenters ? Math.max(0, nearest) : nearest;
  });
}
