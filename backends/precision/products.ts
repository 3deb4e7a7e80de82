/**
 * Products of matrices and convolutions with rounded factors. Every layer and every gradient multiplies matrices with
 * one of a few kernels. So wrapping these kernels, when a thread first computes in less than float32, covers all
 * layers.
 */
import {
  _FusedMatMul,
  BatchMatMul,
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  Conv3D,
  Conv3DBackpropFilterV2,
  Conv3DBackpropInputV2,
  core,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  FusedConv2D,
  FusedDepthwiseConv2D,
  getBackend,
  getKernel,
  type KernelBackend,
  type KernelFunc,
  type TensorInfo,
} from "../../tasks/tfjs/core.js";
import { replaceKernel } from "../kernels.js";
import { ROUND_MANTISSA } from "./round.js";

/** Every kernel that multiplies matrices or convolves, with the names of its two factors among its inputs. */
export const FACTORS: Readonly<Record<string, readonly [string, string]>> = {
  [BatchMatMul]: ["a", "b"],
  [_FusedMatMul]: ["a", "b"],
  [Conv2D]: ["x", "filter"],
  [FusedConv2D]: ["x", "filter"],
  [Conv2DBackpropInput]: ["dy", "filter"],
  [Conv2DBackpropFilter]: ["x", "dy"],
  [Conv3D]: ["x", "filter"],
  [Conv3DBackpropInputV2]: ["dy", "filter"],
  [Conv3DBackpropFilterV2]: ["x", "dy"],
  [DepthwiseConv2dNative]: ["x", "filter"],
  [FusedDepthwiseConv2D]: ["x", "filter"],
  [DepthwiseConv2dNativeBackpropInput]: ["dy", "filter"],
  [DepthwiseConv2dNativeBackpropFilter]: ["x", "dy"],
};

/** The bits of mantissa to which factors are rounded now; undefined: they are not rounded. */
let keptBits: number | undefined;
/** tfjs's names for the backends whose kernels are wrapped. The registry outlives a backend, so once is enough. */
const wrapped = new Set<string>();

/**
 * Runs `body` with the factors of all products on the current backend rounded to `bits` bits of mantissa. In a thread
 * that never rounds, the kernels stay as they are.
 * @param bits undefined: factors are not rounded
 */
export function withFactorsOf<Result>(bits: number | undefined, body: () => Result): Result {
  const before = keptBits;
  if (bits !== undefined) wrapProducts(getBackend());
  keptBits = bits;
  try {
    return body();
  } finally {
    keptBits = before;
  }
}

function wrapProducts(backendName: string): void {
  if (wrapped.has(backendName)) return;
  wrapped.add(backendName);
  const round = getKernel(ROUND_MANTISSA, backendName).kernelFunc;
  for (const [kernelName, factors] of Object.entries(FACTORS)) {
    if (getKernel(kernelName, backendName) === undefined) continue;
    replaceKernel<Inputs, object>(backendName, kernelName, ({ inputs, attrs, backend }, original) => {
      const compute = (given: Inputs) =>
        original!({ inputs: given, attrs: { ...attrs }, backend: backend as object }) as TensorInfo;
      return keptBits === undefined ? compute(inputs) : computeRounded(backend, inputs, factors, round, compute);
    });
  }
}

type Inputs = Record<string, TensorInfo>;

function computeRounded(
  backend: unknown,
  inputs: Inputs,
  factors: readonly string[],
  round: KernelFunc,
  compute: (inputs: Inputs) => TensorInfo,
): TensorInfo {
  const bits = keptBits!;
  const rounded: Inputs = {};
  // A kernel may call others, whose factors are already rounded.
  keptBits = undefined;
  try {
    for (const name of factors) {
      const x = inputs[name];
      if (x.dtype !== "float32") continue;
      rounded[name] = round({ inputs: { x }, attrs: { bits }, backend: backend as object }) as TensorInfo;
    }
    return compute({ ...inputs, ...rounded });
  } finally {
    keptBits = bits;
    for (const info of Object.values(rounded)) {
      if (info instanceof core.Tensor) info.dispose();
      else (backend as KernelBackend).disposeData(info.dataId);
    }
  }
}
