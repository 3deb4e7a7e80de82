/**
 * The versions of CUDA's libraries that this process has actually loaded: with another cuDNN or cuBLAS the same GPU
 * computes different bits. The libraries' own functions report them. Where that is impossible, the version is taken
 * from the name of the loaded file, or from pip's record of the package.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { ProcessAddon } from "../../shared/native/process-addon.js";
import { findCudaLibraries } from "./cuda-libraries.js";

export interface LibraryVersion {
  /** E.g. "cuDNN". */
  readonly name: string;
  /** E.g. "9.3.0"; undefined if it can't be found out. */
  readonly version: string | undefined;
}

/** How the version of a library is found out. */
interface Question {
  readonly name: string;
  readonly library: string;
  /** NVIDIA's package that holds it. */
  readonly pip: string;
  readonly function: string;
  /** Whether the function writes its answer instead of returning it. */
  readonly written: boolean;
  /** Splits the number that the function returns into the parts of a version. */
  readonly parts: (number: number) => number[];
}

const pairs = (number: number): number[] => [Math.floor(number / 10_000), Math.floor(number / 100) % 100, number % 100];

const QUESTIONS: readonly Question[] = [
  {
    name: "CUDA",
    library: "libcudart",
    pip: "cuda_runtime",
    function: "cudaRuntimeGetVersion",
    written: true,
    parts: (number) => [Math.floor(number / 1_000), Math.floor(number / 10) % 100],
  },
  {
    name: "cuBLAS",
    library: "libcublasLt",
    pip: "cublas",
    function: "cublasLtGetVersion",
    written: false,
    parts: pairs,
  },
  {
    name: "cuDNN",
    library: "libcudnn",
    pip: "cudnn",
    function: "cudnnGetVersion",
    written: false,
    // 90300 is 9.3.0, but up to version 8 the minor version had one digit: 8907 is 8.9.7.
    parts: (number) =>
      number >= 90_000 ? pairs(number) : [Math.floor(number / 1_000), Math.floor(number / 100) % 10, number % 100],
  },
];

/**
 * @param addon undefined, or without `version`, if an older Isobatch has made the installation
 * @param libraryFolder the package folder of TensorFlow in the wheel
 * @param maps the process's memory maps, which name the files that it has loaded
 */
export function loadedVersions(
  addon: Pick<ProcessAddon, "version"> | undefined,
  libraryFolder: string,
  maps: string = readMaps(),
): LibraryVersion[] {
  const libraries = findCudaLibraries(libraryFolder).map(({ name }) => name);
  return QUESTIONS.map(({ name, library, pip, function: question, written, parts }) => {
    const file = libraries.find((each) => each.startsWith(`${library}.so.`))!;
    const number = addon?.version?.(file, question, written);
    const version = number === undefined ? versionBeside(file, pip, maps) : parts(number).join(".");
    // pip's versions have one more part than the functions'. It is cut off, so that both give the same version.
    return { name, version: version?.split(".").slice(0, parts(0).length).join(".") };
  });
}

/** E.g. "CUDA 12.9, cuBLAS 12.5.3, cuDNN of an unknown version". */
export const versionsText = (versions: readonly LibraryVersion[]): string =>
  versions.map(({ name, version }) => `${name} ${version ?? "of an unknown version"}`).join(", ");

function readMaps(): string {
  try {
    return readFileSync("/proc/self/maps", "utf8");
  } catch {
    return "";
  }
}

/** @param file the name by which the library is opened, e.g. libcudnn.so.9, which is a link where the system has it */
function versionBeside(file: string, pip: string, maps: string): string | undefined {
  const loaded = maps
    .split("\n")
    .map((line) => line.slice(line.indexOf("/")).trim())
    .find((path) => basename(path) === file || basename(path).startsWith(`${file}.`));
  if (loaded === undefined) return undefined;
  const named = basename(loaded).slice(file.lastIndexOf(".") + 1);
  if (/^\d+(\.\d+)+$/.test(named)) return named;
  // site-packages/nvidia/cudnn/lib/libcudnn.so.9
  return pipVersion(dirname(dirname(dirname(dirname(loaded)))), pip);
}

/**
 * The version of NVIDIA's package in a Python environment, from the folder that pip makes:
 * nvidia_cudnn_cu12-9.3.0.75.dist-info.
 */
export function pipVersion(sitePackages: string, pip: string): string | undefined {
  const pattern = new RegExp(`^nvidia_${pip}(?:_cu\\d+)?-(.+)\\.dist-info$`);
  try {
    return readdirSync(sitePackages)
      .map((name) => pattern.exec(name)?.[1])
      .find((found) => found !== undefined);
  } catch {
    return undefined;
  }
}
