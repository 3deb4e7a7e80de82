/**
 * What an installation needs from a machine, checked before anything is made. Each missing thing is reported in one
 * sentence that says what to do about it.
 */
import { statfsSync } from "node:fs";
import { IsobatchError, messageOf } from "../../../shared/errors.js";
import { makeFolders } from "../../../shared/folders.js";
import { graphicsProblem, readGraphics } from "../../machine/index.js";
import { type RunProgramOptions, runProgram } from "./run-program.js";

const missing = (sentence: string): never => {
  throw new IsobatchError("unavailable", sentence);
};

/** The platforms that TensorFlow has wheels for. */
export function checkPlatform(platform: NodeJS.Platform, architecture: string, musl: boolean): void {
  const name = `${platform} ${architecture}`;
  if (!["linux x64", "linux arm64", "darwin arm64"].includes(name)) {
    missing(
      `TensorFlow has no package for ${name}, only for Linux on x64 and arm64 and for macOS on arm64; use the wasm backend.`,
    );
  }
  if (musl) {
    missing("TensorFlow needs the GNU C library, and this system has musl (Alpine); use an image based on Debian.");
  }
}

/** Whether this process runs on a C library other than GNU's. */
export function usesMusl(): boolean {
  if (process.platform !== "linux") return false;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}

/** Checks that a GPU works now, as --cuda requires: otherwise gigabytes would be installed for nothing. */
export function checkGraphics(driverFolder?: string): void {
  const problem = graphicsProblem(readGraphics(driverFolder));
  if (problem !== undefined) {
    missing(
      `--cuda needs an NVIDIA GPU and its driver, but ${problem}; install without --cuda for this machine's CPUs.`,
    );
  }
}

/**
 * The C++ compiler to use, the one that CXX names first.
 * @throws {IsobatchError} `unavailable` if there is none
 */
export async function findCompiler(options: RunProgramOptions): Promise<string> {
  const { CXX } = options.env;
  for (const compiler of CXX ? [CXX] : ["c++", "g++", "clang++"]) {
    const { code } = await runProgram(compiler, ["--version"], options);
    if (code === 0) return compiler;
  }
  if (CXX) return missing(`CXX is ${CXX}, which does not run; name a C++ compiler there, or unset it.`);
  return missing(
    "There is no C++ compiler (c++, g++ or clang++) on the path, and the binding has to be compiled; install one (Debian, " +
      "Ubuntu: apt-get install g++; macOS: xcode-select --install), or name one in CXX.",
  );
}

/** Makes the folder, if it doesn't exist, and checks that its disk has enough room. */
export function checkSpace(folder: string, bytesNeeded: number): void {
  try {
    makeFolders(folder);
  } catch (error) {
    missing(`${messageOf(error)} Another folder can be named in ISOBATCH_TENSORFLOW.`);
  }
  const { bavail, bsize } = statfsSync(folder);
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  if (bavail * bsize < bytesNeeded) {
    throw new IsobatchError(
      "exhausted",
      `${folder} has ${gigabytes(bavail * bsize)} of disk left, and the installation takes ${gigabytes(bytesNeeded)}; free some, ` +
        "or name a folder elsewhere in ISOBATCH_TENSORFLOW.",
    );
  }
}
