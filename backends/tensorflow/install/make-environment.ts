/** Makes a virtual environment with TensorFlow in it, through pip, whose output is passed on as progress. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { IsobatchError } from "../../../shared/errors.js";
import type { PythonEnvironment } from "./python.js";
import { askPython } from "./python.js";
import { type Ended, type RunProgramOptions, runProgram } from "./run-program.js";
import { TENSORFLOW_VERSION_MIN } from "./wheel.js";

/** The package to install: the smallest that contains what is needed. */
export function packageFor(cuda: boolean, platform: NodeJS.Platform, architecture: string): string {
  if (cuda) return "tensorflow[and-cuda]";
  return platform === "linux" && architecture === "x64" ? "tensorflow-cpu" : "tensorflow";
}

/** The first of the interpreters that can make an environment: it needs `venv` and `ensurepip`. */
export function environmentMaker(pythons: readonly PythonEnvironment[]): PythonEnvironment {
  const maker = pythons.find(({ makesEnvironments }) => makesEnvironments);
  if (maker !== undefined) return maker;
  throw new IsobatchError(
    "unavailable",
    `${pythons[0].executable} can't make virtual environments (its modules venv and ensurepip are missing); install them ` +
      "(Debian, Ubuntu: apt-get install python3-venv), or name with --python an environment that has TensorFlow.",
  );
}

/**
 * @param folder is made; if this fails it is left as it is, for the caller to remove
 * @throws {IsobatchError} with what pip could not do
 */
export async function makeEnvironment(
  maker: PythonEnvironment,
  folder: string,
  requirement: string,
  options: RunProgramOptions & { detail: (text: string) => void },
): Promise<PythonEnvironment> {
  const { detail, ...others } = options;
  const made = await runProgram(maker.executable, ["-m", "venv", folder], others);
  if (made.code !== 0) throw failure(`${maker.executable} -m venv`, made, maker);
  const python = join(folder, "bin", "python");
  // On the same disk as the environment, so that only one disk can be full.
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const env = { ...others.env, TMPDIR: temporary };
  const args = ["-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", "--no-input"];
  const patience = ["--retries", "2", "--timeout", "20"];
  const ended = await runProgram(python, [...args, ...patience, `${requirement}>=${TENSORFLOW_VERSION_MIN}`], {
    ...others,
    env,
    onLine: (line) => detail(line.trim()),
  });
  if (ended.code !== 0) throw failure(`pip install ${requirement}`, ended, maker);
  const environment = await askPython(python, others);
  if (environment === undefined) throw new IsobatchError("unavailable", `${python} does not run; install again.`);
  return environment;
}

/** Reduces pip's many lines to the one thing that is wrong. */
function failure(what: string, { stderr, stdout, startError, code }: Ended, maker: PythonEnvironment): IsobatchError {
  const text = `${stdout}\n${stderr}`;
  if (/No space left on device|Errno 28/.test(text)) {
    return new IsobatchError(
      "exhausted",
      `${what}: the disk is full; free some, or name a folder in ISOBATCH_TENSORFLOW.`,
    );
  }
  if (
    /NewConnectionError|ConnectTimeout|Name or service|Temporary failure in name|ReadTimeout|ProxyError|SSLError/.test(
      text,
    )
  ) {
    return new IsobatchError(
      "unavailable",
      `${what}: the package index can't be reached; check the network and pip's settings (pip config list), or name with ` +
        "--python an environment that has TensorFlow.",
    );
  }
  if (/No matching distribution|Could not find a version/.test(text)) {
    return new IsobatchError(
      "unavailable",
      `There is no TensorFlow for Python ${maker.version.join(".")} on ${process.platform} ${process.arch}; name with --python ` +
        "another Python, of a version that TensorFlow supports.",
    );
  }
  const line = text
    .split("\n")
    .reverse()
    .find((candidate) => /error/i.test(candidate));
  return new IsobatchError("unavailable", `${what} failed (${line?.trim() ?? startError ?? `exit code ${code}`}).`);
}
