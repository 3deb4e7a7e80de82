import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { Identity } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";

/**
 * A copy of a tensor that shares its elements: no kernel writes into its input. The backend's own kernel copies them,
 * and everything that the backward pass needs is copied in this way (29 times in a small convolutional net's gradient).
 */
export function registerIdentity(): void {
  replaceKernel("wasm", Identity, ({ inputs: { x }, backend }: KernelCall<{ x: TensorInfo }, unknown>) => {
    (backend as BackendWasm).incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  });
}
