/**
 * CUDA's libraries as pip lays them out next to TensorFlow, each in its own folder, such as
 * site-packages/nvidia/cusolver/lib/libcusolver.so.11. TensorFlow opens them by name, and the run path of the library
 * that opens them lacks some of these folders (cusolver's, nvjitlink's). So they are loaded by path before TensorFlow
 * looks for them: the loader then answers every request for that name with the library that is already loaded.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TensorFlowInstallation } from "../../shared/native/installation.js";
import type { ProcessAddon } from "../../shared/native/process-addon.js";

/** The versions that a TensorFlow was built for, by its build_info.py. */
export interface CudaBuild {
  /** E.g. "12.5.1"; undefined if the file does not say. */
  readonly cuda: string | undefined;
  readonly cudnn: string | undefined;
}

export interface CudaLibrary {
  /** The name by which it is opened, e.g. "libcusolver.so.11". */
  readonly name: string;
  /** Undefined if pip has not installed it; then the system may have it. */
  readonly path: string | undefined;
  /** Whether TensorFlow finds no GPU without it. */
  readonly needed: boolean;
}

type Versions = readonly [with12: number, with13: number];

/** The libraries, each after those that it depends on. */
const LIBRARIES: readonly { readonly library: string; readonly versions: Versions | "cudnn"; needed: boolean }[] = [
  { library: "libcudart", versions: [12, 13], needed: true },
  { library: "libnvrtc", versions: [12, 13], needed: false },
  { library: "libnvJitLink", versions: [12, 13], needed: false },
  { library: "libcublasLt", versions: [12, 13], needed: true },
  { library: "libcublas", versions: [12, 13], needed: true },
  { library: "libcufft", versions: [11, 12], needed: true },
  { library: "libcurand", versions: [10, 10], needed: false },
  { library: "libcusparse", versions: [12, 12], needed: true },
  { library: "libcusolver", versions: [11, 12], needed: true },
  { library: "libcudnn", versions: "cudnn", needed: true },
];

/**
 * The driver's libraries. TensorFlow uses the first for everything, and the second for the GPU's clocks, memory and
 * links.
 */
const DRIVER_LIBRARIES = ["libcuda.so.1", "libnvidia-ml.so.1"];

/** @param text the content of TensorFlow's build_info.py. @returns undefined for a build without CUDA */
export function cudaBuildOf(text: string): CudaBuild | undefined {
  if (!/'is_cuda_build', True/.test(text)) return undefined;
  const [cuda, cudnn] = ["cuda", "cudnn"].map((name) => new RegExp(`'${name}_version', '([^']+)'`).exec(text)?.[1]);
  return { cuda, cudnn };
}

/** @param libraryFolder the package folder of TensorFlow in the wheel */
export function readCudaBuild(libraryFolder: string): CudaBuild | undefined {
  try {
    return cudaBuildOf(readFileSync(join(libraryFolder, "python", "platform", "build_info.py"), "utf8"));
  } catch {
    return undefined;
  }
}

/** All libraries, in the order in which they can be loaded. */
export function findCudaLibraries(libraryFolder: string): CudaLibrary[] {
  const { cuda = "12", cudnn = "9" } = readCudaBuild(libraryFolder) ?? {};
  const column = Number.parseInt(cuda, 10) >= 13 ? 1 : 0;
  const folders = pipFolders(libraryFolder);
  return LIBRARIES.map(({ library, versions, needed }) => {
    const version = versions === "cudnn" ? Number.parseInt(cudnn, 10) : versions[column];
    const name = `${library}.so.${version}`;
    const path = folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
    return { name, path, needed };
  });
}

/** The folders of NVIDIA's packages, where TensorFlow's run path expects them: next to it, or one level above. */
function pipFolders(libraryFolder: string): string[] {
  const packages = dirname(libraryFolder);
  return [packages, dirname(packages)].flatMap((place) => {
    try {
      const nvidia = join(place, "nvidia");
      return readdirSync(nvidia)
        .sort()
        .map((name) => join(nvidia, name, "lib"));
    } catch {
      return [];
    }
  });
}

/**
 * Loads the libraries that pip has installed. That takes no memory on a GPU, and only the parts of these gigabytes that
 * are used.
 * @returns for each library that can't be loaded, the reason
 */
export function loadCudaLibraries(addon: ProcessAddon, libraryFolder: string): string[] {
  return findCudaLibraries(libraryFolder).flatMap(({ name, path }) => {
    const problem = path === undefined ? undefined : addon.load(path);
    return problem === undefined ? [] : [`${name} can't be loaded (${problem})`];
  });
}

/**
 * The libraries that TensorFlow needs on a GPU and that are unavailable, each with what to do about it, as the end of a
 * sentence. What pip has not installed is searched for where the system's loader looks.
 */
export function cudaLibraryProblems(
  { libraryFolder, python, ownEnvironment }: CudaInstallation,
  addon: ProcessAddon,
): string[] {
  const unloadable = loadCudaLibraries(addon, libraryFolder);
  const missing = findCudaLibraries(libraryFolder)
    .filter(({ path, needed, name }) => path === undefined && needed && addon.load(name) !== undefined)
    .map(({ name }) => `${name} is missing`);
  const install = ownEnvironment
    ? "isobatch tensorflow install --cuda --force"
    : `${python} -m pip install "tensorflow[and-cuda]"`;
  return [...unloadable, ...missing].map((problem) => `${problem}; run ${install}`);
}

type CudaInstallation = Pick<TensorFlowInstallation, "libraryFolder" | "python" | "ownEnvironment">;

/** The same for the driver's libraries, which a container gets only if it requests them. */
export function driverLibraryProblems(addon: ProcessAddon): string[] {
  return DRIVER_LIBRARIES.filter((name) => addon.load(name) !== undefined).map(
    (name) =>
      `${name} of the NVIDIA driver is missing; in a container, set NVIDIA_DRIVER_CAPABILITIES=compute,utility when it is started; ` +
      "elsewhere, reinstall the driver",
  );
}
