import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type KernelFunc, Transpose, util } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { addressOf, output, trainingKernels } from "./training-kernels.js";

/**
 * Transpositions that leave the last axes in place, as attention makes them for its heads: whole blocks are copied.
 * The backend's own kernel computes each element's place separately, which took a third of a GPT's gradient.
 */
export function registerTranspose(): void {
  replaceKernel("wasm", Transpose, transpose);
}

type Call = KernelCall<{ x: TensorInfo }, { perm: number[] }>;

/** The most axes that are moved; and the shortest block, in elements, whose copy is worth a call. */
const [MOVED_MAX, BLOCK_MIN] = [4, 4];

function transpose(call: Call, original: KernelFunc | undefined): TensorInfo {
  const { x } = call.inputs;
  const { perm } = call.attrs;
  // The axes from here on stay in place.
  const moved = perm.length - [...perm].reverse().findIndex((axis, i) => axis !== perm.length - 1 - i);
  const block = util.sizeFromShape(x.shape.slice(moved));
  const isInOrder = perm.filter((axis) => x.shape[axis] > 1).every((axis, i, all) => i === 0 || axis > all[i - 1]);
  if (x.dtype !== "float32" || isInOrder || moved > MOVED_MAX || block < BLOCK_MIN) {
    return original!(call as never) as TensorInfo;
  }
  const backend = call.backend as BackendWasm;
  const strides = [...util.computeStrides(x.shape), 1];
  const missing = Array.from({ length: MOVED_MAX - moved }, () => 1);
  const axes = perm.slice(0, moved);
  const rounds = [...missing, ...axes.map((axis) => x.shape[axis])] as [number, number, number, number];
  const bytes = [...missing, ...axes.map((axis) => 4 * strides[axis])] as [number, number, number, number];
  return output(
    backend,
    perm.map((axis) => x.shape[axis]),
    (out) => trainingKernels(backend).copyBlocks(...rounds, ...bytes, 4 * block, addressOf(backend, x), out),
  );
}
