/** What an installed TensorFlow must contain for the binding to be compiled against it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { IsobatchError } from "../../../shared/errors.js";
import { isOlder } from "../../machine/graphics.js";
import type { PythonEnvironment } from "./python.js";

/** The oldest version whose wheel is known to work. */
export const TENSORFLOW_VERSION_MIN = "2.16.1";

export interface Wheel {
  readonly version: string;
  /** The folder with the libraries and `include`. */
  readonly folder: string;
  /** The libraries to link, by their file names. */
  readonly libraries: readonly string[];
  /** The interpreter of its environment. */
  readonly python: string;
}

const LIBRARIES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"],
  darwin: ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"],
};
const HEADERS = ["tensorflow/c/c_api.h", "tensorflow/c/eager/c_api.h"];

/** Why the TensorFlow of an environment can't be used, as a sentence; undefined if it can. */
export function wheelProblem({ tensorflow, executable }: PythonEnvironment, cuda: boolean): string | undefined {
  if (tensorflow === null) return `${executable} has no TensorFlow.`;
  const { version, folder, cudaLibraries } = tensorflow;
  if (isOlder(version, TENSORFLOW_VERSION_MIN)) {
    return (
      `The TensorFlow of ${executable} is ${version}, which is too old: ${TENSORFLOW_VERSION_MIN} or newer is needed; ` +
      `run ${executable} -m pip install --upgrade tensorflow, or leave --python out to install a separate one.`
    );
  }
  if (cuda && !cudaLibraries) {
    return (
      `The TensorFlow of ${executable} has no CUDA libraries next to it; run ${executable} -m pip install ` +
      `"tensorflow[and-cuda]", or leave --python out to install a separate one.`
    );
  }
  const files = [...librariesOf(process.platform), ...HEADERS.map((header) => join("include", header))];
  const missing = files.find((file) => !existsSync(join(folder, file)));
  return missing === undefined
    ? undefined
    : `The TensorFlow in ${folder} is broken: ${missing} is missing; run ${executable} -m pip install --force-reinstall tensorflow.`;
}

/** @throws {IsobatchError} `unavailable` with the problem, if there is one. */
export function checkedWheel(environment: PythonEnvironment, cuda: boolean): Wheel {
  const problem = wheelProblem(environment, cuda);
  if (problem !== undefined) throw new IsobatchError("unavailable", problem);
  const { version, folder } = environment.tensorflow!;
  return { version, folder, libraries: librariesOf(process.platform), python: environment.executable };
}

/** The libraries to link, by their file names. */
export function librariesOf(platform: NodeJS.Platform): readonly string[] {
  return LIBRARIES[platform] ?? [];
}
