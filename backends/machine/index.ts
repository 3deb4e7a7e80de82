/**
 * What this machine can compute on, as far as that can be found out without loading a backend: names and settings of
 * the backends, installations of TensorFlow, GPUs, and the cores near them. A process that only starts threads or other
 * processes imports this door instead of `backends/`, which loads TensorFlow.js.
 */
export {
  findInstallation,
  prepareProcess,
  processLeaver,
  type TensorFlowBackendName,
  unavailability,
} from "./availability.js";
export {
  type CudaBuild,
  cudaLibraryProblems,
  driverLibraryProblems,
  readCudaBuild,
} from "./cuda-libraries.js";
export { gpuNamed, gpusForWorkers, pinnedGpu, visibleGpus } from "./gpus.js";
export { DRIVER_VERSION_MIN, type Gpu, type Graphics, graphicsProblem, readGraphics } from "./graphics.js";
export { type LibraryVersion, loadedVersions, pipVersion, versionsText } from "./library-versions.js";
export { BACKEND_NAMES, type BackendName, defaultComputeThreads, isBackendName } from "./names.js";
export { coresText, keepToNearCores, nearCores } from "./near-cores.js";
export { showOnly, usesOneDnn, visibleDevices } from "./process-environment.js";
export { type BackendSettings, readBackendSettings } from "./settings.js";
