// The door of the training kernels: what backends/wasm/training-kernels.ts may call.
export { batchNorm, batchNormGradient, batchNormScratchBytes } from "./batch-norm";
export {
  convolutionDescribe,
  convolutionFilterGradient,
  convolutionForward,
  convolutionInputGradient,
  convolutionScratchBytes,
} from "./convolution";
export { depthwiseFilterGradient, depthwiseForward, depthwiseInputGradient } from "./depthwise";
export { dropout, dropoutMask } from "./dropout";
export { matmul, matmulScratchBytes } from "./gemm";
export { layerNorm, layerNormGradient, layerNormScratchBytes } from "./layer-norm";
export { averagePoolGradient, maxPool, maxPoolGradient, poolDescribe, poolScratchBytes } from "./pool";
export { roundMantissa } from "./round";
export { columnSums, copyBlocks, reluGradient, repeatBlocks, repeatRow, segmentSums } from "./rows";
