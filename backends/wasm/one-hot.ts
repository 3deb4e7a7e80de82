import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type KernelFunc, OneHot } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { output } from "./training-kernels.js";

/** One-hot rows of floats, such as the targets of a cross-entropy. The backend's own kernel writes integers instead. */
export function registerOneHot(): void {
  replaceKernel("wasm", OneHot, oneHot);
}

type Call = KernelCall<{ indices: TensorInfo }, { dtype: string; depth: number; onValue: number; offValue: number }>;

function oneHot(call: Call, original: KernelFunc | undefined): TensorInfo {
  const { dtype, depth, onValue, offValue } = call.attrs;
  const { indices } = call.inputs;
  if (dtype !== "float32" || indices.dtype !== "int32") return original!(call as never) as TensorInfo;
  const backend = call.backend as BackendWasm;
  const rows = output(backend, [...indices.shape, depth], () => undefined);
  const [values, places] = [backend.typedArrayFromHeap(rows), backend.typedArrayFromHeap(indices)];
  values.fill(offValue);
  for (const [row, place] of places.entries()) {
    if (place >= 0 && place < depth) values[row * depth + place] = onValue;
  }
  return rows;
}
