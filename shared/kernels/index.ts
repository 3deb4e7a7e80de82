export { type AdamConstants, createKernelMemory, type Kernels, PAGE_BYTES } from "./kernels.js";
export { createReferenceKernels } from "./reference.js";
export { instantiateKernels } from "./simd.js";
