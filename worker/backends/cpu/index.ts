import { version_cpu } from "@tensorflow/tfjs-backend-cpu";
import type { BackendDescription } from "../backend.js";
import { registerConvolutionGradients } from "./convolution.js";
import { registerPoolGradients } from "./pool.js";
import { registerReluGradient } from "./relu.js";
import { registerResizeGradients } from "./resize.js";

/** The plain JavaScript backend: slow, runs everywhere, and mended where its gradients are wrong. */

let completed = false;

/** Registers the mended kernels; the registry is the process's, so only once. */
export function complete(): void {
  if (completed) return;
  completed = true;
  registerConvolutionGradients();
  registerPoolGradients();
  registerResizeGradients();
  registerReluGradient();
}

export async function describe(): Promise<BackendDescription> {
  return { version: version_cpu, flags: "", device: "plain JavaScript, one thread" };
}
