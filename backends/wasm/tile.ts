import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { Identity, type KernelFunc, Tile, util } from "../../tasks/tfjs/core.js";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { addressOf, output, trainingKernels } from "./training-kernels.js";

/**
 * Repeats a tensor along its axes, as LayerNormalization does with its statistics and weights. The backend's own kernel
 * computes the place of every single element separately.
 */
export function registerTile(): void {
  replaceKernel("wasm", Tile, tile);
}

type Call = KernelCall<{ x: TensorInfo }, { reps: number[] }>;

function tile(call: Call, original: KernelFunc | undefined): TensorInfo {
  const { x } = call.inputs;
  const { reps } = call.attrs;
  if (x.dtype !== "float32" || reps.length !== x.shape.length) return original!(call as never) as TensorInfo;
  const backend = call.backend as BackendWasm;
  return compose("wasm", backend, (run) => {
    let result = run(Identity, { x });
    reps.forEach((copies, axis) => {
      if (copies !== 1) result = run.own(repeatAlong(backend, result, axis, copies));
    });
    return result;
  });
}

function repeatAlong(backend: BackendWasm, x: TensorInfo, axis: number, copies: number): TensorInfo {
  const blocks = util.sizeFromShape(x.shape.slice(0, axis));
  const bytes = 4 * util.sizeFromShape(x.shape.slice(axis));
  return output(backend, x.shape.with(axis, x.shape[axis] * copies), (out) =>
    trainingKernels(backend).repeatBlocks(blocks, copies, bytes, addressOf(backend, x), out),
  );
}
