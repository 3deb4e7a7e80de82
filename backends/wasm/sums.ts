import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type KernelFunc, Mean, Sum, UnsortedSegmentSum, util } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { addressOf, output, trainingKernels } from "./training-kernels.js";

/**
 * Sums and means over leading axes, which the gradient of every bias is, and sums over segments, which that of every
 * embedding is. The backend's own kernel transposes before it sums over leading axes (17 ms instead of 1 for 3.2 M
 * elements), and it has none for segments.
 */
export function registerSums(): void {
  replaceKernel("wasm", Sum, sum);
  replaceKernel("wasm", Mean, mean);
  replaceKernel("wasm", UnsortedSegmentSum, unsortedSegmentSum);
}

type SumCall = KernelCall<{ x: TensorInfo }, { axis: number | number[]; keepDims?: boolean }>;

function sum(call: SumCall, original: KernelFunc | undefined): TensorInfo {
  return sumOfLeadingAxes(call)?.result ?? (original!(call as never) as TensorInfo);
}

function mean(call: SumCall, original: KernelFunc | undefined): TensorInfo {
  const sums = sumOfLeadingAxes(call);
  if (sums === undefined) return original!(call as never) as TensorInfo;
  const values = (call.backend as BackendWasm).typedArrayFromHeap(sums.result);
  for (let i = 0; i < values.length; i++) values[i] /= sums.count;
  return sums.result;
}

/**
 * The sum, and the number of elements in each; undefined unless it is over leading axes, but not all axes, of floats.
 */
function sumOfLeadingAxes(call: SumCall): { result: TensorInfo; count: number } | undefined {
  const { x } = call.inputs;
  const axes = util.parseAxisParam(call.attrs.axis, x.shape);
  const leading = axes.length < x.shape.length && axes.every((axis) => axis < axes.length);
  if (!leading || x.dtype !== "float32") return undefined;
  const backend = call.backend as BackendWasm;
  const count = util.sizeFromShape(x.shape.slice(0, axes.length));
  const rest = x.shape.slice(axes.length);
  const shape = call.attrs.keepDims ? [...axes.map(() => 1), ...rest] : rest;
  const result = output(backend, shape, (out) =>
    trainingKernels(backend).columnSums(count, util.sizeFromShape(rest), addressOf(backend, x), out),
  );
  return { result, count };
}

type SegmentSumCall = KernelCall<{ x: TensorInfo; segmentIds: TensorInfo }, { numSegments: number }>;

function unsortedSegmentSum({ inputs: { x, segmentIds }, attrs, backend: anyBackend }: SegmentSumCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const segments = attrs.numSegments;
  const rows = util.sizeFromShape(segmentIds.shape);
  const rest = x.shape.slice(segmentIds.shape.length);
  return output(backend, [segments, ...rest], (out) => {
    const addresses = [addressOf(backend, x), addressOf(backend, segmentIds), out] as const;
    trainingKernels(backend).segmentSums(rows, util.sizeFromShape(rest), segments, ...addresses);
  });
}
