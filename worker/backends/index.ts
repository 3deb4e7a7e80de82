export { type Backend, type BackendName, isBackendName, type Numerics, openBackend } from "./backend.js";
export { BACKEND_NAMES, type BackendProbe, chooseBackend, probeBackend, probeBackends } from "./choose.js";
export { defaultComputeThreads } from "./threads.js";
