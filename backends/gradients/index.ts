// The layers register tfjs's own gradients, so they must be loaded before some are replaced.
import "../../tasks/tfjs/layers.js";
import { repairLayers } from "../../tasks/index.js";
import { registerArithmetic } from "./arithmetic.js";
import { registerBatchNorm } from "./batch-norm.js";
import { registerComparisons } from "./comparisons.js";
import { registerConvolutions } from "./convolution.js";
import { registerDropout } from "./dropout.js";
import { registerExtrema } from "./extrema.js";
import { registerGather } from "./gather.js";
import { registerKinks } from "./kinks.js";
import { registerMatMul } from "./matmul.js";
import { registerRearrangements } from "./rearrangements.js";
import { registerReductions } from "./reductions.js";
import { registerRelu } from "./relu.js";

/**
 * Registers gradients in place of tfjs's own where those are wrong, missing or slow. They are the same on all backends,
 * and use only kernels that each backend has. The few layers that tfjs can't train for other reasons are repaired too.
 */

let registered = false;

export function registerGradients(): void {
  if (registered) return;
  registered = true;
  registerArithmetic();
  registerBatchNorm();
  registerComparisons();
  registerConvolutions();
  registerDropout();
  registerExtrema();
  registerGather();
  registerKinks();
  registerMatMul();
  registerRearrangements();
  registerReductions();
  registerRelu();
  repairLayers();
}
