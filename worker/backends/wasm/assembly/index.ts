// The door of the training kernels: what worker/backends/wasm/training-kernels.ts may call.
export { conv2dDescribe, conv2dFilterGradient, conv2dForward, conv2dInputGradient, conv2dScratchBytes } from "./conv2d";
export { depthwiseFilterGradient, depthwiseForward, depthwiseInputGradient } from "./depthwise";
export { matmul, packedBytes } from "./gemm";
export { averagePoolGradient, maxPool, maxPoolGradient, poolDescribe } from "./pool";
export { columnSums, reluGradient, repeatRow, segmentSums } from "./rows";
