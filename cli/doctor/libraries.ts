/** Which versions of CUDA's libraries a TensorFlow has, read from the files of its Python environment. */
import { dirname } from "node:path";
import { type CudaBuild, readCudaBuild } from "../../backends/tensorflow/cuda-libraries.js";
import { pipVersion } from "../../backends/tensorflow/library-versions.js";

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
  const build = readCudaBuild(libraryFolder);
  const beside = (pip: string): string | null => pipVersion(dirname(libraryFolder), pip) ?? null;
  return {
    ...{ cuda: beside("cuda_runtime"), cudnn: beside("cudnn"), cublas: beside("cublas") },
    builtFor: build === undefined ? null : describeBuild(build),
  };
}

export function describeBuild({ cuda, cudnn }: CudaBuild): string {
  return `CUDA ${cuda ?? "of an unknown version"}, cuDNN ${cudnn ?? "of an unknown version"}`;
}
