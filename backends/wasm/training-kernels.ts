import { readFileSync } from "node:fs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { util } from "../../tasks/tfjs/core.js";
import type { TensorInfo } from "../kernels.js";

/**
 * Our own SIMD kernels, instantiated over the memory of tfjs's wasm backend: they read and write its tensors in
 * place. They exist because the backend's kernels for training are missing, wrong or slow; on 64 images of
 * 28 × 28 × 32 with 64 filters a convolution with both gradients takes 110 ms here and 280 ms when composed of the
 * backend's own kernels, and its gradient of max pooling takes 70 ms instead of 3.
 *
 * They use only operations that IEEE 754 and WebAssembly define to the bit, in an order that depends only on shapes.
 */

/** The exports of `assembly/index.ts`, whose comments explain them: addresses are bytes into tfjs's memory. */
export interface TrainingKernels {
  batchNormScratchBytes(columns: number): number;
  batchNorm(
    ...arguments_: [
      ...sizes: [rows: number, columns: number, epsilon: number],
      ...inputs: [x: number, gamma: number, beta: number],
      ...outputs: [y: number, mean: number, variance: number],
      scratch: number,
    ]
  ): void;
  batchNormGradient(
    ...arguments_: [
      ...sizes: [rows: number, columns: number, epsilon: number],
      ...inputs: [dy: number, x: number, gamma: number, mean: number, variance: number],
      ...outputs: [dx: number, dGamma: number, dBeta: number],
      scratch: number,
    ]
  ): void;
  layerNorm(
    ...arguments_: [
      ...sizes: [rows: number, width: number, epsilon: number],
      ...inputs: [x: number, gamma: number, beta: number],
      ...outputs: [normal: number, inverse: number, y: number],
    ]
  ): void;
  layerNormScratchBytes(width: number): number;
  layerNormGradient(
    ...arguments_: [
      ...sizes: [rows: number, width: number],
      ...inputs: [dy: number, normal: number, inverse: number, gamma: number],
      ...outputs: [dx: number, dGamma: number, dBeta: number],
      scratch: number,
    ]
  ): void;
  matmulScratchBytes(n: number, k: number): number;
  matmul(
    ...arguments_: [
      ...sizes: [m: number, n: number, k: number],
      ...a: [address: number, row: number, column: number],
      ...b: [address: number, row: number, column: number],
      ...c: [address: number, accumulate: boolean],
      scratch: number,
    ]
  ): void;
  convolutionDescribe(
    ...arguments_: [
      ...x: [depth: number, height: number, width: number, channels: number],
      ...filter: [depth: number, height: number, width: number],
      ...y: [depth: number, height: number, width: number],
      ...stride: [depth: number, height: number, width: number],
      ...dilation: [depth: number, height: number, width: number],
      ...pad: [front: number, top: number, left: number],
    ]
  ): void;
  convolutionScratchBytes(batch: number, filters: number): number;
  convolutionForward(
    ...arguments_: [
      ...sizes: [batch: number, filters: number],
      ...addresses: [x: number, filter: number, y: number],
      accumulate: boolean,
      scratch: number,
    ]
  ): void;
  convolutionFilterGradient(
    ...arguments_: [
      ...sizes: [batch: number, filters: number],
      ...addresses: [x: number, dy: number, dFilter: number],
      scratch: number,
    ]
  ): void;
  convolutionInputGradient(
    ...arguments_: [
      ...sizes: [batch: number, filters: number],
      ...addresses: [dy: number, filter: number, dx: number],
      scratch: number,
    ]
  ): void;
  depthwiseForward(batch: number, multiplier: number, x: number, filter: number, y: number): void;
  depthwiseInputGradient(batch: number, multiplier: number, dy: number, filter: number, dx: number): void;
  depthwiseFilterGradient(batch: number, multiplier: number, x: number, dy: number, dFilter: number): void;
  dropoutMask(
    ...arguments_: [
      count: number,
      ...stream: [key0: number, key1: number, counter2: number, counter3: number],
      kept: number,
      mask: number,
    ]
  ): void;
  dropout(count: number, x: number, mask: number, scale: number, y: number): void;
  poolDescribe(
    ...arguments_: [
      ...x: [depth: number, height: number, width: number, channels: number],
      ...y: [depth: number, height: number, width: number],
      ...window: [depth: number, height: number, width: number],
      ...stride: [depth: number, height: number, width: number],
      ...pad: [front: number, top: number, left: number],
    ]
  ): void;
  poolScratchBytes(): number;
  maxPool(batch: number, x: number, y: number, scratch: number): void;
  maxPoolGradient(batch: number, dy: number, x: number, dx: number, scratch: number): void;
  averagePoolGradient(batch: number, dy: number, dx: number, scratch: number): void;
  columnSums(rows: number, columns: number, x: number, out: number): void;
  copyBlocks(
    ...arguments_: [
      ...rounds: [n0: number, n1: number, n2: number, n3: number],
      ...strides: [s0: number, s1: number, s2: number, s3: number],
      ...blocks: [bytes: number, x: number, out: number],
    ]
  ): void;
  reluGradient(count: number, dy: number, y: number, dx: number): void;
  repeatBlocks(blocks: number, copies: number, bytes: number, x: number, out: number): void;
  repeatRow(rows: number, columns: number, values: number, out: number): void;
  roundMantissa(count: number, bits: number, x: number, out: number): void;
  segmentSums(count: number, width: number, segments: number, x: number, ids: number, out: number): void;
}

/** The parts of the backend's Emscripten module that its type does not name; tfjs's version is pinned for them. */
interface Module {
  asm: { memory: WebAssembly.Memory };
  _malloc(bytes: number): number;
  _free(address: number): void;
}

let compiled: WebAssembly.Module | undefined;
const instances = new WeakMap<BackendWasm, TrainingKernels>();

/** The kernels over `backend`'s memory. The module is compiled once per thread. */
export function trainingKernels(backend: BackendWasm): TrainingKernels {
  let kernels = instances.get(backend);
  if (kernels === undefined) {
    compiled ??= new WebAssembly.Module(readFileSync(new URL("./kernels.wasm", import.meta.url)));
    const { memory } = moduleOf(backend).asm;
    kernels = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as TrainingKernels;
    instances.set(backend, kernels);
  }
  return kernels;
}

/** The address of a tensor's first element in the backend's memory. */
export function addressOf(backend: BackendWasm, tensor: TensorInfo): number {
  return backend.dataIdMap.get(tensor.dataId).memoryOffset;
}

/** Runs `body` with the address of `bytes` of scratch memory, 16-byte aligned, and frees them afterwards. */
export function withScratch(backend: BackendWasm, bytes: number, body: (scratch: number) => void): void {
  const module = moduleOf(backend);
  const address = module._malloc(bytes) >>> 0;
  try {
    body(address);
  } finally {
    module._free(address);
  }
}

/** Runs `body` with the address of a copy of `values` in the backend's memory, which is freed afterwards. */
export function withInts(backend: BackendWasm, values: Int32Array, body: (address: number) => void): void {
  withScratch(backend, values.byteLength, (address) => {
    new Int32Array(moduleOf(backend).asm.memory.buffer, address, values.length).set(values);
    body(address);
  });
}

/** The same for floats. */
export function withFloats(backend: BackendWasm, values: Float32Array, body: (address: number) => void): void {
  withScratch(backend, values.byteLength, (address) => {
    new Float32Array(moduleOf(backend).asm.memory.buffer, address, values.length).set(values);
    body(address);
  });
}

/** A new tensor; `fill` must write all of it, at the address that it is given. An empty tensor is not filled. */
export function output(
  backend: BackendWasm,
  shape: number[],
  fill: (address: number) => void,
  dtype: "float32" | "bool" = "float32",
): TensorInfo {
  const isEmpty = util.sizeFromShape(shape) === 0;
  return outputs(backend, [shape], (address) => (isEmpty ? undefined : fill(address)), dtype)[0];
}

/** New tensors, which `fill` writes at these addresses. If it fails they are freed, because no caller gets them. */
export function outputs(
  backend: BackendWasm,
  shapes: readonly number[][],
  fill: (...addresses: number[]) => void,
  dtype: "float32" | "bool" = "float32",
): TensorInfo[] {
  const tensors: TensorInfo[] = [];
  try {
    for (const shape of shapes) tensors.push(backend.makeOutput(shape, dtype));
    fill(...tensors.map((tensor) => addressOf(backend, tensor)));
    return tensors;
  } catch (error) {
    for (const { dataId } of tensors) backend.disposeData(dataId);
    throw error;
  }
}

const moduleOf = (backend: BackendWasm): Module => backend.wasm as unknown as Module;
