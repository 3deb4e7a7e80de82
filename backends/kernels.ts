import {
  getKernel,
  type KernelBackend,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "../tasks/tfjs/core.js";

/**
 * Composing a kernel of other kernels. tfjs calls a kernel outside its tidy scopes, so a kernel must free everything
 * that it allocates except its result. `compose` does so: each intermediate owns one reference to its data (reshapes
 * and identities included, which add one), and all but the result are released.
 */

export type { TensorInfo } from "@tensorflow/tfjs-core";

type NamedTensorInfos = Record<string, TensorInfo>;
type Attributes = Record<string, unknown>;

export interface Run {
  /** Runs a kernel of the same backend. */
  (kernelName: string, inputs: NamedTensorInfos, attributes?: Attributes): TensorInfo;
  /** Takes ownership of a result that was made in another way. */
  own(result: TensorInfo): TensorInfo;
}

/** Runs `body` on `backend` and frees every intermediate result it made, except the one it returns. */
export function compose(backendName: string, backend: unknown, body: (run: Run) => TensorInfo): TensorInfo {
  const intermediates: TensorInfo[] = [];
  const release = (keep?: TensorInfo): void => {
    for (const info of intermediates) if (info !== keep) (backend as KernelBackend).disposeData(info.dataId);
  };
  const own = (result: TensorInfo): TensorInfo => {
    intermediates.push(result);
    return result;
  };
  const run: Run = Object.assign(
    (kernelName: string, inputs: NamedTensorInfos, attributes: Attributes = {}): TensorInfo => {
      const config = getKernel(kernelName, backendName);
      if (config === undefined) throw new Error(`The ${backendName} backend has no kernel ${kernelName}.`);
      const attrs = attributes as Parameters<KernelFunc>[0]["attrs"];
      return own(config.kernelFunc({ inputs, attrs, backend: backend as object }) as TensorInfo);
    },
    { own },
  );
  try {
    const result = body(run);
    release(result);
    return result;
  } catch (error) {
    release();
    throw error;
  }
}

/** One kernel call as this folder's kernels see it. */
export interface KernelCall<Inputs, Attrs> {
  inputs: Inputs;
  attrs: Attrs;
  backend: unknown;
}

/**
 * Registers `kernel` in place of the backend's own (if it has one), which is passed to it as `original`. The original's
 * set-up is kept, so that the backend can still be closed and opened again.
 */
export function replaceKernel<Inputs, Attrs>(
  backendName: string,
  kernelName: string,
  kernel: (call: KernelCall<Inputs, Attrs>, original: KernelFunc | undefined) => TensorInfo | TensorInfo[],
): void {
  const original = getKernel(kernelName, backendName);
  if (original !== undefined) unregisterKernel(kernelName, backendName);
  const kernelFunc: KernelFunc = (call) => kernel(call as unknown as KernelCall<Inputs, Attrs>, original?.kernelFunc);
  registerKernel({ ...original, kernelName, backendName, kernelFunc });
}
