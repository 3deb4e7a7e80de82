/**
 * How our normalisation kernels are called and registered; tasks/models/layers/kernel-names.ts says what they compute.
 */
import { BATCH_NORM, BATCH_NORM_GRADIENT, LAYER_NORM, LAYER_NORM_GRADIENT } from "../tasks/models/index.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "./kernels.js";

export type BatchNormCall = KernelCall<
  { x: TensorInfo; gamma: TensorInfo; beta: TensorInfo },
  { readonly epsilon: number }
>;

export type BatchNormGradientCall = KernelCall<
  { dy: TensorInfo; x: TensorInfo; gamma: TensorInfo; mean: TensorInfo; variance: TensorInfo },
  { readonly epsilon: number }
>;

export type LayerNormCall = KernelCall<
  { x: TensorInfo; gamma?: TensorInfo; beta?: TensorInfo },
  { readonly epsilon: number }
>;

export type LayerNormGradientCall = KernelCall<
  { dy: TensorInfo; normal: TensorInfo; inverse: TensorInfo; gamma?: TensorInfo },
  { readonly centered: boolean }
>;

/** A backend's normalisation kernels. */
export interface NormalizationKernels {
  batchNorm(call: BatchNormCall): TensorInfo[];
  batchNormGradient(call: BatchNormGradientCall): TensorInfo[];
  layerNorm(call: LayerNormCall): TensorInfo[];
  layerNormGradient(call: LayerNormGradientCall): TensorInfo[];
}

export function registerNormalizationKernels(backendName: string, kernels: NormalizationKernels): void {
  replaceKernel(backendName, BATCH_NORM, kernels.batchNorm);
  replaceKernel(backendName, BATCH_NORM_GRADIENT, kernels.batchNormGradient);
  replaceKernel(backendName, LAYER_NORM, kernels.layerNorm);
  replaceKernel(backendName, LAYER_NORM_GRADIENT, kernels.layerNormGradient);
}

/** How many rows there are, and how long each is: the length of the last axis. */
export function rowsOf({ shape }: TensorInfo): { rows: number; width: number } {
  return { rows: shape.slice(0, -1).reduce((product, size) => product * size, 1), width: shape[shape.length - 1] };
}

/** The shape of one number for each row. */
export const perRow = ({ shape }: TensorInfo): number[] => [...shape.slice(0, -1), 1];
