/** The versions of CUDA's libraries that a TensorFlow uses, read from the files of its Python environment. */
import { dirname } from "node:path";
import { type CudaBuild, pipVersion, readCudaBuild } from "../../backends/machine/index.js";

export interface CudaLibraries {
  /** The version of the runtime installed next to TensorFlow, e.g. 12.5.82; null if there is none. */
  readonly cuda: string | null;
  readonly cudnn: string | null;
  readonly cublas: string | null;
  /** What TensorFlow was built for, e.g. "CUDA 12.5.1, cuDNN 9"; null if for CPUs only. */
  readonly builtFor: string | null;
}

/** @param libraryFolder TensorFlow's package folder */
export function readCudaLibraries(libraryFolder: string): CudaLibraries {
  const build = readCudaBuild(libraryFolder);
  const versionOf = (pip: string): string | null => pipVersion(dirname(libraryFolder), pip) ?? null;
  return {
    cuda: versionOf("cuda_runtime"),
    cudnn: versionOf("cudnn"),
    cublas: versionOf("cublas"),
    builtFor: build === undefined ? null : describeBuild(build),
  };
}

export function describeBuild({ cuda, cudnn }: CudaBuild): string {
  return `CUDA ${cuda ?? "of an unknown version"}, cuDNN ${cudnn ?? "of an unknown version"}`;
}
