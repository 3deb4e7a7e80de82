import { less, mul, scalar, type Tensor, type TensorInfo, tensor, tidy } from "../../tasks/tfjs/core.js";
import { DROPOUT, DROPOUT_MASK, type DropoutAttributes, type MaskAttributes } from "../dropout.js";
import { type KernelCall, replaceKernel } from "../kernels.js";
import { floatType, intType, run } from "./operation.js";

/**
 * The operation that draws a key's stream. It reads the key and the shape on the host: nothing is sent to a GPU for it.
 */
export const UNIFORM = "StatelessRandomUniform";

export function registerDropout(): void {
  replaceKernel("tensorflow", DROPOUT_MASK, drawMask);
  replaceKernel("tensorflow", DROPOUT, applyMask);
}

function drawMask({ inputs, attrs, backend }: KernelCall<{ key: TensorInfo }, MaskAttributes>): TensorInfo {
  const { shape, keep } = attrs;
  const types = [floatType("dtype"), intType("T"), intType("Tseed")];
  return tidy(() => {
    const sizes = tensor(shape, [shape.length], "int32");
    return less(run(backend, UNIFORM, types, [sizes, inputs.key]) as Tensor, scalar(keep));
  });
}

type Call = KernelCall<{ x: Tensor; mask: TensorInfo }, DropoutAttributes>;

function applyMask({ inputs: { x, mask }, attrs: { scale }, backend }: Call): TensorInfo {
  return tidy(() => {
    const factors = run(backend, "SelectV2", [floatType("T")], [mask, scalar(scale), scalar(0)]);
    return mul(x, factors as Tensor);
  });
}
