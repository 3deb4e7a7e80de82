/**
 * The settings that TensorFlow reads from the process's environment, natively, when it is loaded. They are made on the
 * main thread before any compute thread starts: a thread's own `process.env` is a copy of which the library learns
 * nothing.
 *
 * - One thread an operation. A worker's parallelism is its compute threads; with more than one thread inside an
 *   operation its sums would be added up in an order that depends on how many there are.
 * - Deterministic operations, and cuBLAS's fixed workspaces: on a GPU the fast ones add in the order of arrival. No
 *   autotuning of cuDNN: it times a convolution's algorithms and takes the fastest, which may be another each time.
 * - TF32 is switched on and off in TensorFlow, as each task's precision requires; where Isobatch can't reach that switch,
 *   a variable forbids TF32 to NVIDIA's libraries.
 * - Memory on a GPU is taken as it is needed, instead of all of it at the start; gpu-memory.ts sets a limit. GPUs are
 *   numbered as nvidia-smi does.
 * - Quiet, unless somebody wants to hear it.
 *
 * How programs are made is read from ISOBATCH_TENSORFLOW_PROGRAM (`program/settings.ts`).
 */
import { programVariables } from "./program/settings.js";

const FIXED = {
  TF_NUM_INTRAOP_THREADS: "1",
  TF_NUM_INTEROP_THREADS: "1",
  TF_DETERMINISTIC_OPS: "1",
  TF_CUDNN_USE_AUTOTUNE: "0",
  CUBLAS_WORKSPACE_CONFIG: ":4096:8",
  OMP_NUM_THREADS: "1",
} as const;

/** These change no bit, or are told in the numerics class, so a user's own are left alone. */
const DEFAULTS = {
  CUDA_DEVICE_ORDER: "PCI_BUS_ID",
  TF_FORCE_GPU_ALLOW_GROWTH: "true",
  TF_CPP_MIN_LOG_LEVEL: "2",
  TF_ENABLE_ONEDNN_OPTS: "1",
} as const;

/**
 * Sets the fixed variables, those with a default that are missing, and those that programs need.
 * @param switchesTf32 whether the process itself will switch TF32 on and off
 */
export function setTensorFlowEnvironment(variables: NodeJS.ProcessEnv, switchesTf32: boolean): void {
  Object.assign(variables, FIXED, programVariables(variables));
  // The libraries read the variable when they are loaded, and it overrides any switch.
  if (switchesTf32) delete variables.NVIDIA_TF32_OVERRIDE;
  else variables.NVIDIA_TF32_OVERRIDE = "0";
  for (const [name, value] of Object.entries(DEFAULTS)) variables[name] ??= value;
}

/** Whether oneDNN computes, whose bits are its own. */
export const usesOneDnn = (variables: Readonly<NodeJS.ProcessEnv>): boolean => variables.TF_ENABLE_ONEDNN_OPTS !== "0";
