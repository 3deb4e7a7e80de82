export type { Numerics } from "../shared/numerics.js";
export { type Backend, isBackendName, openBackend } from "./backend.js";
export { type BackendProbe, chooseBackend, probeBackend, probeBackends } from "./choose.js";
export {
  type Compiler,
  type Computation,
  type Numbers,
  type Program,
  type ProgramSize,
  type Trace,
  UncompilableError,
} from "./compiler.js";
export { dropout } from "./dropout.js";
export { BACKEND_NAMES, type BackendName } from "./names.js";
export type { GradientForm, HostVectors, ProgramSums, SumsOperation, VectorForm, Weights } from "./program-sums.js";
export { type BackendSettings, readBackendSettings } from "./tensorflow/settings.js";
export { defaultComputeThreads } from "./threads.js";
