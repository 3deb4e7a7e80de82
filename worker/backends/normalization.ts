/** The calls of our kernels that normalise, which tasks/models/layers/kernel-names.ts describes. */
import type { KernelCall, TensorInfo } from "./kernels.js";

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

/** How many rows there are, and how long each is: the length of the last axis. */
export function rowsOf({ shape }: TensorInfo): { rows: number; width: number } {
  return { rows: shape.slice(0, -1).reduce((product, size) => product * size, 1), width: shape[shape.length - 1] };
}

/** The shape of one number for each row. */
export const perRow = ({ shape }: TensorInfo): number[] => [...shape.slice(0, -1), 1];
