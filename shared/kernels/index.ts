export { type AdamConstants, createKernelMemory, type Kernels } from "./kernels.js";
export { createReferenceKernels } from "./reference.js";
export { instantiateKernels } from "./simd.js";
