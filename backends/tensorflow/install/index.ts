/** Makes TensorFlow ready for the native backends, and removes it again. */
export {
  type Installed,
  type InstallOptions,
  installTensorFlow,
  removeTensorFlow,
  type StepDisplay,
} from "./install.js";
export { findPythons, type PythonEnvironment } from "./python.js";
export { type Ended, type RunProgramOptions, runProgram } from "./run-program.js";
