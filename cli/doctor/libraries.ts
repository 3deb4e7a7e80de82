/** Which versions of CUDA's libraries a TensorFlow has, read from the files of its Python environment. */
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { type CudaBuild, readCudaBuild } from "../../worker/backends/tensorflow/cuda-libraries.js";

export interface CudaLibraries {
  /** Of the runtime that lies beside TensorFlow, e.g. 12.5.82; null if none does. */
  readonly cuda: string | null;
  readonly cudnn: string | null;
  readonly cublas: string | null;
  /** What TensorFlow was built for, e.g. "CUDA 12.5.1, cuDNN 9"; null if for processors alone. */
  readonly builtFor: string | null;
}

/** @param libraryFolder of the wheel: the package folder of TensorFlow. */
export function readCudaLibraries(libraryFolder: string): CudaLibraries {
  let names: string[] = [];
  try {
    names = readdirSync(dirname(libraryFolder));
  } catch {
    // Nothing is installed there.
  }
  const build = readCudaBuild(libraryFolder);
  return { ...versionsOf(names), builtFor: build === undefined ? null : describeBuild(build) };
}

/** @param names of what is installed, as pip leaves them: nvidia_cudnn_cu12-9.3.0.75.dist-info. */
export function versionsOf(names: readonly string[]): Omit<CudaLibraries, "builtFor"> {
  const version = (library: string): string | null => {
    const pattern = new RegExp(`^nvidia_${library}(?:_cu\\d+)?-(.+)\\.dist-info$`);
    return names.map((name) => pattern.exec(name)?.[1]).find((found) => found !== undefined) ?? null;
  };
  return { cuda: version("cuda_runtime"), cudnn: version("cudnn"), cublas: version("cublas") };
}

export function describeBuild({ cuda, cudnn }: CudaBuild): string {
  return `CUDA ${cuda ?? "of an unknown version"}, cuDNN ${cudnn ?? "of an unknown version"}`;
}
