import { version_cpu } from "../../tasks/tfjs/backend-cpu.js";
import { findBackendFactory } from "../../tasks/tfjs/core.js";
import { type BackendDescription, type BackendImplementation, BY_ROUNDING } from "../implementation.js";
import { registerConvolutionGradients } from "./convolution.js";
import { registerDropout } from "./dropout.js";
import { registerNormalization } from "./normalization.js";
import { registerPoolGradients } from "./pool.js";
import { registerReluGradient } from "./relu.js";
import { registerResizeGradients } from "./resize.js";
import { registerRound } from "./round.js";

let completed = false;

/** Registers the kernels whose gradients are wrong in tfjs; the registry outlives the backend, so only once. */
function complete(): void {
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

const description: BackendDescription = {
  version: version_cpu,
  // Exponentials and similar functions are the JavaScript engine's.
  flags: `v8 ${process.versions.v8.split(".").slice(0, 2).join(".")}`,
  device: "plain JavaScript, one thread",
  intraOpThreads: 1,
  precisions: BY_ROUNDING,
  determinism: "one thread: the same bits in the same version of V8",
};

/** The plain JavaScript backend: slow, runs everywhere, and corrected where its gradients are wrong. */
export const cpu: BackendImplementation = {
  registered: "cpu",
  async prepare() {},
  create: findBackendFactory("cpu"),
  complete,
  describe: () => description,
};
