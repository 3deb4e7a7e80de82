import { engine, registerGradient, type Tensor } from "../../tasks/tfjs/core.js";
import { DROPOUT } from "../dropout.js";

/** Dropout's gradient: its mask is applied to that of the result. */
export function registerDropout(): void {
  registerGradient({
    kernelName: DROPOUT,
    inputsToSave: ["mask"],
    gradFunc: (dy, [mask], attrs) => ({
      x: () => engine().runKernel(DROPOUT, { x: dy as Tensor, mask }, attrs) as Tensor,
    }),
  });
}
