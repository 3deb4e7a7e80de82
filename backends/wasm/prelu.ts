import { type KernelFunc, Prelu, Reshape, Tile, util } from "../../tasks/tfjs/core.js";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";

/** PReLU with one slope for several points. The backend's own kernel handles only slopes that repeat from the start. */
export function registerPrelu(): void {
  replaceKernel("wasm", Prelu, prelu);
}

type Call = KernelCall<{ x: TensorInfo; alpha: TensorInfo }, unknown>;

function prelu({ inputs: { x, alpha }, attrs, backend }: Call, original: KernelFunc | undefined): TensorInfo {
  const run = (slopes: TensorInfo): TensorInfo =>
    original!({ inputs: { x, alpha: slopes }, attrs: attrs as never, backend: backend as object }) as TensorInfo;
  const given = alpha.shape.slice(alpha.shape.findIndex((size) => size !== 1));
  const repeats = util.arraysEqual(given, x.shape.slice(x.shape.length - given.length));
  if (util.sizeFromShape(alpha.shape) === 1 || repeats) return run(alpha);
  const shape = [...x.shape.map(() => 1), ...alpha.shape].slice(-x.shape.length);
  const reps = x.shape.map((size, axis) => size / shape[axis]);
  return compose("wasm", backend, (kernel) => {
    const spread = kernel(Tile, { x: kernel(Reshape, { x: alpha }, { shape }) }, { reps });
    return kernel.own(run(spread));
  });
}
