/** A model's gradients, their folding and its losses, computed in the thread that calls. This loads TensorFlow.js. */
export {
  createGradients,
  type GradientSums,
  type Gradients,
  type GradientsOptions,
  type SampleBatch,
} from "./gradients.js";
export { createHostFold } from "./host-fold.js";
export type { FoldedPart, PartFold } from "./lease-fold.js";
export type { DecodedMicroBatch } from "./model-gradient.js";
export type { GradientResult } from "./model-program.js";
export { canFold, createProgramFold } from "./program-fold.js";
export { differenceOf, differencesOf, nudged } from "./program-proof.js";
