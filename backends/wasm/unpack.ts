import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type KernelFunc, Unpack, util } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { outputs } from "./training-kernels.js";

/** Cuts a tensor along its first axis. The backend's own kernel copies all of it for each piece. */
export function registerUnpack(): void {
  replaceKernel("wasm", Unpack, unpack);
}

type Call = KernelCall<{ value: TensorInfo }, { axis: number }>;

function unpack(call: Call, original: KernelFunc | undefined): TensorInfo[] {
  const { value } = call.inputs;
  if (value.dtype !== "float32" || call.attrs.axis % value.shape.length !== 0) {
    return original!(call as never) as TensorInfo[];
  }
  const backend = call.backend as BackendWasm;
  const [pieces, ...shape] = value.shape;
  const length = util.sizeFromShape(shape);
  const tensors = outputs(
    backend,
    Array.from({ length: pieces }, () => shape),
    () => undefined,
  );
  // Only now: a view of the heap becomes invalid when the heap grows.
  const values = backend.typedArrayFromHeap(value);
  for (const [i, piece] of tensors.entries()) {
    backend.typedArrayFromHeap(piece).set(values.subarray(i * length, (i + 1) * length));
  }
  return tensors;
}
