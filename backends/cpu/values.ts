import type { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import type { TensorInfo } from "../kernels.js";

/** The elements of a float32 tensor on the cpu backend, in place. */
export function valuesOf(backend: unknown, tensor: TensorInfo): Float32Array {
  return (backend as MathBackendCPU).data.get(tensor.dataId).values as Float32Array;
}

/** A new float32 tensor of `values`, rounded to float32 if they are wider. */
export function tensorOf(backend: unknown, shape: number[], values: Float32Array | Float64Array): TensorInfo {
  const rounded = values instanceof Float32Array ? values : Float32Array.from(values);
  return (backend as MathBackendCPU).makeTensorInfo(shape, "float32", rounded);
}
