/** Kernels that the native backend's package lacks, or for which one operation of TensorFlow is better. */
import {
  Exp,
  GatherV2,
  type KernelFunc,
  Max,
  RealDiv,
  Softmax,
  Sub,
  Sum,
  scalar,
  type TensorInfo,
} from "../../tasks/tfjs/core.js";
import { RELU_GRADIENT } from "../gradients/relu.js";
import { compose, type KernelCall, replaceKernel } from "../kernels.js";
import { registerDenseBincount } from "./completions.js";
import { registerDeterministic } from "./deterministic.js";
import { registerDilation } from "./dilation.js";
import { registerDropout } from "./dropout.js";
import type { NativeBackend } from "./native-package.js";
import { registerNormalization } from "./normalization.js";
import { floatType, integer, intType, run } from "./operation.js";
import { registerMaxPoolGradient } from "./pooling.js";
import { registerRound } from "./round.js";

let registered = false;

/** The registry outlives a backend, so once is enough. */
export function registerNativeKernels(): void {
  if (registered) return;
  registered = true;
  registerDenseBincount();
  registerDeterministic();
  registerDilation();
  registerDropout();
  registerMaxPoolGradient();
  registerNormalization();
  registerRound();
  replaceKernel("tensorflow", RELU_GRADIENT, ({ inputs: { dy, y }, backend }: ReluCall) =>
    run(backend, "ReluGrad", [floatType("T")], [dy, y]),
  );
  replaceKernel("tensorflow", GatherV2, gather);
  replaceKernel("tensorflow", Softmax, softmax);
}

type ReluCall = KernelCall<{ dy: TensorInfo; y: TensorInfo }, unknown>;

type GatherCall = KernelCall<{ x: TensorInfo; indices: TensorInfo }, { axis: number; batchDims: number }>;

/**
 * Looks rows up with one operation; the package's own kernel reads every index back to check it, and a computation that
 * reads values back can't be compiled.
 *
 * On a CPU the operation checks the indices itself and names one that is out of bounds. On a GPU it silently returns
 * zeros for such an index. So the indices that an Embedding takes from samples are checked on the host, when the data
 * set is read and its samples are decoded; a layer that computes indices, which no training needs, has to keep them in
 * range itself.
 */
function gather({ inputs, attrs, backend }: GatherCall, original: KernelFunc | undefined): TensorInfo {
  const { x, indices } = inputs;
  const isPlain = x.dtype === "float32" && indices.dtype === "int32";
  if (!isPlain) {
    return original!({ inputs: { x, indices }, attrs: { ...attrs }, backend: backend as object }) as TensorInfo;
  }
  const axis = scalar(attrs.axis, "int32");
  const types = [floatType("Tparams"), intType("Tindices"), intType("Taxis")];
  const rows = run(backend, GatherV2, [integer("batch_dims", attrs.batchDims), ...types], [x, indices, axis]);
  axis.dispose();
  return rows;
}

type SoftmaxCall = KernelCall<{ logits: TensorInfo }, { dim: number }>;

/**
 * Softmax of simpler operations. On a CPU TensorFlow computes its own Softmax with oneDNN inside a graph and without it
 * outside, with different bits; these operations have the same bits in both.
 */
function softmax({ inputs: { logits }, attrs, backend }: SoftmaxCall, original: KernelFunc | undefined): TensorInfo {
  if ((backend as NativeBackend).binding.isUsingGpuDevice()) {
    return original!({ inputs: { logits }, attrs: { ...attrs }, backend: backend as object }) as TensorInfo;
  }
  return compose("tensorflow", backend, (run) => {
    const [axis, keepDims] = [[attrs.dim], true];
    const largest = run(Max, { x: logits }, { reductionIndices: axis, keepDims });
    const powers = run(Exp, { x: run(Sub, { a: logits, b: largest }) });
    return run(RealDiv, { a: powers, b: run(Sum, { x: powers }, { axis, keepDims }) });
  });
}
