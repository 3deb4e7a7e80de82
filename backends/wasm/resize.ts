import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { ResizeNearestNeighborGrad } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { nearestPoints, type ResizeAttributes } from "../resizing.js";
import { addressOf, output, trainingKernels, withInts } from "./training-kernels.js";

/**
 * The gradient of nearest-neighbour resizing, which the backend's own kernel loses for images one point high or wide.
 */
export function registerResizeGradient(): void {
  replaceKernel("wasm", ResizeNearestNeighborGrad, resizeNearestGradient);
}

type Call = KernelCall<{ images: TensorInfo; dy: TensorInfo }, ResizeAttributes>;

function resizeNearestGradient({ inputs: { images, dy }, attrs, backend: anyBackend }: Call): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const [batch, height, width, channels] = images.shape;
  const points = nearestPoints(images.shape, dy.shape, attrs);
  return output(backend, images.shape, (dx) =>
    withInts(backend, points, (ids) => {
      const addresses = [addressOf(backend, dy), ids, dx] as const;
      trainingKernels(backend).segmentSums(points.length, channels, batch * height * width, ...addresses);
    }),
  );
}
