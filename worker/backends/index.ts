export { type Backend, type BackendName, type Numerics, openBackend } from "./backend.js";
export { BACKEND_NAMES, type BackendProbe, chooseBackend, probeBackends } from "./choose.js";
