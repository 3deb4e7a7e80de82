/** Kernels of the native backend that its package lacks, or that one operation of TensorFlow does better. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { RELU_GRADIENT } from "../gradients/relu.js";
import { type KernelCall, replaceKernel } from "../kernels.js";
import { registerDenseBincount } from "./completions.js";
import { registerDilation } from "./dilation.js";
import { floatType, run } from "./operation.js";

let registered = false;

/** The registry outlives a backend, so once is enough. */
export function registerNativeKernels(): void {
  if (registered) return;
  registered = true;
  registerDenseBincount();
  registerDilation();
  replaceKernel("tensorflow", RELU_GRADIENT, ({ inputs: { dy, y }, backend }: ReluCall) =>
    run(backend, "ReluGrad", [floatType("T")], [dy, y]),
  );
}

type ReluCall = KernelCall<{ dy: TensorInfo; y: TensorInfo }, unknown>;
