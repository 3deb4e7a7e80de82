import { version_cpu } from "../../tasks/tfjs/backend-cpu.js";
import { type BackendDescription, BY_ROUNDING } from "../description.js";
import { registerConvolutionGradients } from "./convolution.js";
import { registerDropout } from "./dropout.js";
import { registerNormalization } from "./normalization.js";
import { registerPoolGradients } from "./pool.js";
import { registerReluGradient } from "./relu.js";
import { registerResizeGradients } from "./resize.js";
import { registerRound } from "./round.js";

/** The plain JavaScript backend: slow, runs everywhere, and mended where its gradients are wrong. */

/** There is nothing to prepare. */
export async function prepare(): Promise<void> {}

let completed = false;

/** Registers the mended kernels; the registry outlives the backend, so only once. */
export function complete(): void {
  if (completed) return;
  completed = true;
  registerConvolutionGradients();
  registerDropout();
  registerPoolGradients();
  registerResizeGradients();
  registerReluGradient();
  registerRound();
  registerNormalization();
}

export const description: BackendDescription = {
  version: version_cpu,
  // Exponentials and the like are those of the JavaScript engine.
  flags: `v8 ${process.versions.v8.split(".").slice(0, 2).join(".")}`,
  device: "plain JavaScript, one thread",
  intraOpThreads: 1,
  precisions: BY_ROUNDING,
  determinism: "one thread: the same bits in the same version of V8",
};
