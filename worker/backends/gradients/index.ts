// The layers bring tfjs's own gradients, so they must be loaded before some are replaced.
import "@tensorflow/tfjs-layers";
import { registerConvolutions } from "./convolution.js";
import { registerMatMul } from "./matmul.js";
import { registerRelu } from "./relu.js";

/**
 * Gradients registered in the place of tfjs's own, where those are wrong, missing or slow. They are the same on all
 * backends, made of kernels that each backend has.
 */

let registered = false;

export function registerGradients(): void {
  if (registered) return;
  registered = true;
  registerConvolutions();
  registerMatMul();
  registerRelu();
}
