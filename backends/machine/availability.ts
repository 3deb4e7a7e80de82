/** What can be found out about the native backends, and done for them, without loading TensorFlow or tfjs. */
import { isMainThread } from "node:worker_threads";
import { messageOf } from "../../shared/errors.js";
import { readInstallation, type TensorFlowInstallation } from "../../shared/native/installation.js";
import { loadProcessAddon } from "../../shared/native/process-addon.js";
import { pinnedGpu } from "./gpus.js";
import { graphicsProblem, readGraphics } from "./graphics.js";
import { hideGpus, setTensorFlowEnvironment, showOnly, visibleDevices } from "./process-environment.js";
import type { BackendSettings } from "./settings.js";

export type TensorFlowBackendName = "tfjs-node-gpu" | "tfjs-node";

/** The installation that a backend computes with; if there is none, the reason as the end of a sentence. */
export function findInstallation(
  name: TensorFlowBackendName,
  { tensorFlowFolder: folder }: Pick<BackendSettings, "tensorFlowFolder">,
): TensorFlowInstallation | string {
  try {
    const cuda = readInstallation(folder, "cuda");
    if (name === "tfjs-node") {
      return readInstallation(folder, "cpu") ?? cuda ?? "TensorFlow is not installed; run isobatch tensorflow install";
    }
    const problem = graphicsProblem(readGraphics());
    if (problem !== undefined) return problem;
    return cuda ?? "TensorFlow is not installed for CUDA; run isobatch tensorflow install --cuda";
  } catch (error) {
    return messageOf(error).replace(/\.$/, "");
  }
}

/** Why a backend can't be used here, as far as that can be found out without loading TensorFlow. */
export function unavailability(name: TensorFlowBackendName, settings: BackendSettings): string | undefined {
  const found = findInstallation(name, settings);
  return typeof found === "string" ? found : undefined;
}

/**
 * Sets the environment variables of this process that TensorFlow reads when it is loaded for a backend. To be called on
 * the main thread before a thread opens the backend; in a thread it does nothing.
 * @param name undefined if the backend has yet to be chosen
 * @param gpu the number of the GPU to compute on, among those that are visible; the first by default
 * @throws {IsobatchError} `invalid_input` if there is no GPU with that number
 */
export function prepareProcess(name: string | undefined, settings: BackendSettings, gpu?: number): void {
  if (!isMainThread) return;
  setTensorFlowEnvironment(settings.program, name !== "tfjs-node" && canSwitchTf32(settings));
  if (name === undefined || name === "tfjs-node-gpu") {
    const pinned = pinnedGpu(readGraphics(), visibleDevices(), gpu);
    if (pinned !== undefined) showOnly(pinned);
  }
  if (name !== "tfjs-node") return;
  const installation = findInstallation(name, settings);
  if (typeof installation !== "string" && installation.variant === "cuda") hideGpus();
}

/** Whether the installation for GPUs can switch TF32 on and off; it is not loaded. */
function canSwitchTf32(settings: BackendSettings): boolean {
  const installation = findInstallation("tfjs-node-gpu", settings);
  return typeof installation === "object" && loadProcessAddon(installation)?.tensorFloat32 !== undefined;
}

/**
 * Returns a function that ends this process at once, even while a thread is inside TensorFlow. To be called before
 * there is such a thread, which may hold the loader's lock. With an installation that an older Isobatch has made, a
 * process that ends with exit code 0 waits for its threads, and with any other it kills itself.
 */
export function processLeaver(name: string, settings: BackendSettings): (exitCode: number) => void {
  const installation = name === "tfjs-node" || name === "tfjs-node-gpu" ? findInstallation(name, settings) : undefined;
  const addon = typeof installation === "object" ? loadProcessAddon(installation) : undefined;
  return (exitCode) => {
    if (addon !== undefined) addon.exit(exitCode);
    if (exitCode !== 0) process.kill(process.pid, "SIGKILL");
  };
}
