/**
 * The only place below the command line that reads or writes the process's environment, because the native libraries
 * do: TensorFlow, XLA and CUDA take their settings from it when they are loaded, and from nothing else. Isobatch's own
 * settings (`settings.ts`) are passed as values instead.
 *
 * The variables are set on the main thread before any compute thread starts: a thread's own `process.env` is a copy
 * that the libraries never see. A process loads these libraries once, so whatever opens a backend first decides for all
 * of it.
 *
 * - One thread per operation. A worker's parallelism is its compute threads; with more than one thread inside an
 *   operation its sums would be added up in an order that depends on how many there are.
 * - Deterministic operations, and cuBLAS's fixed workspaces: on a GPU the fast ones add in the order of arrival. No
 *   autotuning of cuDNN: it times a convolution's algorithms and takes the fastest, which may differ each time.
 * - TF32 is switched on and off in TensorFlow, as each task's precision requires; where Isobatch can't reach that
 *   switch, a variable forbids TF32 to NVIDIA's libraries.
 * - Memory on a GPU is taken as it is needed, instead of all of it at the start; gpu-memory.ts sets a limit. GPUs are
 *   numbered as nvidia-smi does.
 * - Quiet, unless a user has set the log level.
 */
import { programVariables } from "../tensorflow/program/settings.js";

const FIXED = {
  TF_NUM_INTRAOP_THREADS: "1",
  TF_NUM_INTEROP_THREADS: "1",
  TF_DETERMINISTIC_OPS: "1",
  TF_CUDNN_USE_AUTOTUNE: "0",
  CUBLAS_WORKSPACE_CONFIG: ":4096:8",
  OMP_NUM_THREADS: "1",
} as const;

/** These change no bit, or are named in the numerics class, so a user's own values are kept. */
const DEFAULTS = {
  CUDA_DEVICE_ORDER: "PCI_BUS_ID",
  TF_FORCE_GPU_ALLOW_GROWTH: "true",
  TF_CPP_MIN_LOG_LEVEL: "2",
  TF_ENABLE_ONEDNN_OPTS: "1",
} as const;

type Variables = Record<string, string | undefined>;

/** Whether oneDNN computes, whose bits are its own. */
export const usesOneDnn = (): boolean => process.env.TF_ENABLE_ONEDNN_OPTS !== "0";

/** CUDA_VISIBLE_DEVICES: the GPUs that this process sees; undefined: all. */
export const visibleDevices = (): string | undefined => process.env.CUDA_VISIBLE_DEVICES;

/** Makes CUDA see only these GPUs, named as in CUDA_VISIBLE_DEVICES. */
export function showOnly(gpus: string): void {
  process.env.CUDA_VISIBLE_DEVICES = gpus;
}

/** Makes CUDA see no GPU. */
export const hideGpus = (): void => showOnly("-1");

/**
 * Sets the fixed variables, those with a default that are missing, and those that programs need.
 * @param program the setting of that name, which decides whether XLA is used
 * @param switchesTf32 whether the process itself will switch TF32 on and off
 * @param variables the process's own; only tests pass others
 */
export function setTensorFlowEnvironment(
  program: string | undefined,
  switchesTf32: boolean,
  variables: Variables = process.env,
): void {
  Object.assign(variables, FIXED, programVariables(program, variables));
  // The libraries read the variable when they are loaded, and it overrides any switch.
  if (switchesTf32) delete variables.NVIDIA_TF32_OVERRIDE;
  else variables.NVIDIA_TF32_OVERRIDE = "0";
  for (const [name, value] of Object.entries(DEFAULTS)) variables[name] ??= value;
}
