/** Our kernels that normalise, which every backend of a worker has: their names, and what each computes. */

/**
 * The kernel that normalises x [rows…, channels] over its rows. Inputs: x, gamma and beta [channels]; attribute: epsilon.
 * Outputs: y, and of each channel its mean and its variance (of all its numbers, biased).
 */
export const BATCH_NORM = "IsobatchBatchNorm";

/**
 * The gradient of `BATCH_NORM`. Inputs: dy and x [rows…, channels], gamma, mean and variance [channels]; attribute:
 * epsilon. Outputs: the gradients for x, gamma and beta.
 */
export const BATCH_NORM_GRADIENT = "IsobatchBatchNormGradient";

/**
 * The kernel that normalises each row of x [rows…, numbers]. Inputs: x, and gamma and beta [numbers], either of which may
 * be missing; attribute: epsilon. Outputs: the rows, normalised only; the inverse of each row's deviation [rows…, 1]; and
 * the rows scaled by gamma and shifted by beta, if either is given.
 */
export const LAYER_NORM = "IsobatchLayerNorm";

/**
 * The gradient of `LAYER_NORM`. Inputs: dy; normal and inverse, the first two outputs; gamma, if there is one.
 * Attribute: centered, whether there is a beta. Outputs: the gradients for x, and for gamma and beta if they are given.
 */
export const LAYER_NORM_GRADIENT = "IsobatchLayerNormGradient";
