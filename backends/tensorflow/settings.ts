/**
 * What can be set about the native backends besides their name. These are plain data: the command line makes them from its
 * environment, a program that uses the library from its own options, and they are passed as they are to where a backend is
 * opened, in threads and other processes too. Nothing below the command line reads them from the environment.
 */
import { tensorFlowFolder } from "../../shared/native/installation.js";
import { gpuMemoryLimit } from "./gpu-memory.js";
import { programSettings } from "./program/settings.js";

export interface BackendSettings {
  /** The folder that holds the TensorFlow installations. */
  readonly tensorFlowFolder: string;
  /** The most memory that a process may take on its GPU, in MiB; undefined: as much as the GPU has. */
  readonly gpuMemoryMiB?: number;
  /** How programs are made, in the words of ISOBATCH_TENSORFLOW_PROGRAM; undefined: by default. */
  readonly program?: string;
}

/**
 * The settings as environment variables name them: ISOBATCH_TENSORFLOW, ISOBATCH_GPU_MEMORY and ISOBATCH_TENSORFLOW_PROGRAM.
 * Without any of them, the defaults.
 * @throws {IsobatchError} `invalid_input` for a value that is not allowed
 */
export function readBackendSettings(variables: Readonly<Record<string, string | undefined>>): BackendSettings {
  const program = variables.ISOBATCH_TENSORFLOW_PROGRAM || undefined;
  programSettings(program, false);
  return {
    tensorFlowFolder: tensorFlowFolder(variables),
    gpuMemoryMiB: gpuMemoryLimit(variables.ISOBATCH_GPU_MEMORY),
    program,
  };
}
