import { version_cpu } from "@tensorflow/tfjs-backend-cpu";
import type { BackendDescription } from "../backend.js";

/** The plain JavaScript backend: slow, runs everywhere, and mended where its gradients are wrong. */

export function complete(): void {}

export async function describe(): Promise<BackendDescription> {
  return { version: version_cpu, flags: "", device: "plain JavaScript, one thread" };
}
