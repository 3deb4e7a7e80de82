/**
 * Finds out about Python environments by running their interpreters: which TensorFlow each has, and whether it can make
 * another environment. An interpreter is used only if it answers.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { IsobatchError, invalid } from "../../../shared/errors.js";
import { type RunProgramOptions, runProgram } from "./run-program.js";

const answerSchema = z.object({
  /** The version of Python, e.g. [3, 11, 7]. */
  version: z.tuple([z.int(), z.int(), z.int()]),
  executable: z.string(),
  /** Whether it can make virtual environments with pip in them. */
  makesEnvironments: z.boolean(),
  tensorflow: z
    .object({
      /** The version of the installed wheel, e.g. 2.21.0. */
      version: z.string(),
      /** Its package folder, with the libraries and `include`. */
      folder: z.string(),
      /** The name it was installed under. */
      distribution: z.string(),
      /** Whether NVIDIA's libraries are next to it, or it was built for CUDA and the system has them. */
      cudaLibraries: z.boolean(),
    })
    .nullable(),
});

export type PythonEnvironment = z.output<typeof answerSchema>;

/** A program that finds this out without importing TensorFlow, which takes seconds and may fail. */
const QUESTION = `
import ctypes.util, importlib.metadata as metadata, importlib.util as util, json, os, sys
def ofsystem(folder):
    try: built = "'is_cuda_build', True" in open(os.path.join(folder, "python", "platform", "build_info.py")).read()
    except OSError: return False
    return built and ctypes.util.find_library("cudnn") is not None
def found():
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos", "tensorflow-cpu-aws", "tf-nightly", "intel-tensorflow"):
        try: version = metadata.version(name)
        except metadata.PackageNotFoundError: continue
        spec = util.find_spec("tensorflow")
        if spec is None or spec.origin is None: continue
        folder = os.path.dirname(spec.origin)
        cuda = os.path.isdir(os.path.join(os.path.dirname(folder), "nvidia", "cudnn", "lib")) or ofsystem(folder)
        return {"version": version, "folder": folder, "distribution": name, "cudaLibraries": cuda}
makes = util.find_spec("venv") is not None and util.find_spec("ensurepip") is not None
print(json.dumps({"version": sys.version_info[:3], "executable": sys.executable, "makesEnvironments": makes, "tensorflow": found()}))
`;

/** @returns undefined if there is no such program, or it is not Python 3 */
export async function askPython(
  interpreter: string,
  options: RunProgramOptions,
): Promise<PythonEnvironment | undefined> {
  const { code, stdout } = await runProgram(interpreter, ["-c", QUESTION], options);
  if (code !== 0) return undefined;
  const answer = answerSchema.safeParse(parse(stdout.split("\n").at(-1) ?? ""));
  return answer.success ? answer.data : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The environment that the user named: an interpreter, or the folder of a virtual environment.
 * @throws {IsobatchError} `invalid_input` if it is neither.
 */
export async function namedPython(path: string, options: RunProgramOptions): Promise<PythonEnvironment> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const environment = await askPython(isFolder ? join(path, "bin", "python") : path, options);
  return (
    environment ??
    invalid(
      `--python is ${path}, which does not run Python 3; name an interpreter, or the folder of a virtual environment.`,
    )
  );
}

/** Interpreters to look for, the likeliest first. */
const INTERPRETERS = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];

/**
 * The active virtual environment, and every interpreter on the path.
 * @throws {IsobatchError} `unavailable` if there is no Python at all.
 */
export async function findPythons(options: RunProgramOptions): Promise<PythonEnvironment[]> {
  const { VIRTUAL_ENV } = options.env;
  const names = [...(VIRTUAL_ENV ? [join(VIRTUAL_ENV, "bin", "python")] : []), ...INTERPRETERS];
  const found = new Map<string, PythonEnvironment>();
  for (const name of names) {
    const environment = await askPython(name, options);
    if (environment !== undefined && !found.has(environment.executable)) found.set(environment.executable, environment);
  }
  if (found.size === 0) {
    throw new IsobatchError(
      "unavailable",
      "There is no Python 3 on the path, which TensorFlow is installed with; install it (Debian, Ubuntu: apt-get install " +
        "python3 python3-venv), or name one with --python.",
    );
  }
  return [...found.values()];
}
