import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { util } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { ROUND_MANTISSA, type RoundAttributes } from "../precision/round.js";
import { addressOf, output, trainingKernels } from "./training-kernels.js";

export function registerRound(): void {
  replaceKernel("wasm", ROUND_MANTISSA, round);
}

function round({ inputs: { x }, attrs, backend }: KernelCall<{ x: TensorInfo }, RoundAttributes>): TensorInfo {
  const wasm = backend as BackendWasm;
  return output(wasm, x.shape, (out) =>
    trainingKernels(wasm).roundMantissa(util.sizeFromShape(x.shape), attrs.bits, addressOf(wasm, x), out),
  );
}
