/**
 * What a thread computes on: opening a backend loads TensorFlow.js. What can be found out without that is behind
 * `backends/machine/`.
 */
export type { Numerics } from "../shared/numerics.js";
export { type Backend, openBackend } from "./backend.js";
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
export {
  BACKEND_NAMES,
  type BackendName,
  type BackendSettings,
  defaultComputeThreads,
  isBackendName,
  readBackendSettings,
} from "./machine/index.js";
export { isOutOfMemory, withoutStatus } from "./native-errors.js";
export type { GradientForm, HostVectors, ProgramSums, SumsOperation, VectorForm } from "./program-sums.js";
