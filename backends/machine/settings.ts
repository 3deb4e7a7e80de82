/**
 * What can be set about the native backends besides their name. These are plain data: the command line makes them from
 * its environment, a program that uses the library from its own options, and they are passed as they are to where a
 * backend is opened, in threads and other processes too. Nothing below the command line reads them from the
 * environment.
 */
import { invalid } from "../../shared/errors.js";
import { tensorFlowFolder } from "../../shared/native/installation.js";
import { programSettings } from "../tensorflow/program/settings.js";

const GIB_MIN = 0.25;
const GIB_MAX = 1_024;

export interface BackendSettings {
  /** The folder that holds the TensorFlow installations. */
  readonly tensorFlowFolder: string;
  /** The most memory that a process may take on its GPU, in MiB; undefined: as much as the GPU has. */
  readonly gpuMemoryMiB?: number;
  /** How programs are made, in the words of ISOBATCH_TENSORFLOW_PROGRAM; undefined: by default. */
  readonly program?: string;
}

/**
 * The settings as environment variables name them: ISOBATCH_TENSORFLOW, ISOBATCH_GPU_MEMORY and
 * ISOBATCH_TENSORFLOW_PROGRAM. Without any of them, the defaults.
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

/**
 * Reads ISOBATCH_GPU_MEMORY.
 * @param text GiB
 * @returns the limit in MiB; undefined: only the GPU's own
 * @throws {IsobatchError} `invalid_input` if the text is not a number in range
 */
function gpuMemoryLimit(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const gibibytes = Number(text);
  if (gibibytes >= GIB_MIN && gibibytes <= GIB_MAX) return Math.floor(gibibytes * 1_024);
  return invalid(
    `ISOBATCH_GPU_MEMORY is ${JSON.stringify(text)}; it takes GiB of each GPU, from ${GIB_MIN} to ${GIB_MAX}.`,
  );
}
