import { Elu, LeakyRelu, Prelu, Relu, Relu6, Sigmoid } from "../../tasks/tfjs/core.js";
import type { Run, TensorInfo } from "../kernels.js";

/** How tfjs's fused kernels name the activation that follows the sum. */
export interface FusedActivation {
  activation: string;
  leakyreluAlpha?: number;
}

const kernelOf: Record<string, string> = { relu: Relu, relu6: Relu6, elu: Elu, sigmoid: Sigmoid };

/** Applies a fused kernel's activation to `x`; `alpha` are PReLU's weights. */
export function activate(run: Run, x: TensorInfo, attrs: FusedActivation, alpha?: TensorInfo): TensorInfo {
  const { activation, leakyreluAlpha } = attrs;
  if (activation === "linear") return x;
  if (activation === "prelu") return run(Prelu, { x, alpha: alpha! });
  if (activation === "leakyrelu") return run(LeakyRelu, { x }, { alpha: leakyreluAlpha });
  const kernelName = kernelOf[activation];
  if (kernelName === undefined) throw new Error(`The activation ${activation} can't be fused on wasm.`);
  return run(kernelName, { x });
}
