import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  BATCH_NORM,
  BATCH_NORM_GRADIENT,
  LAYER_NORM,
  LAYER_NORM_GRADIENT,
} from "../../../tasks/models/layers/kernel-names.js";
import { replaceKernel, type TensorInfo } from "../kernels.js";
import {
  type BatchNormCall,
  type BatchNormGradientCall,
  type LayerNormCall,
  type LayerNormGradientCall,
  perRow,
  rowsOf,
} from "../normalization.js";
import { addressOf, trainingKernels, withFloats, withScratch } from "./training-kernels.js";

export function registerNormalization(): void {
  replaceKernel("wasm", BATCH_NORM, batchNorm);
  replaceKernel("wasm", BATCH_NORM_GRADIENT, batchNormGradient);
  replaceKernel("wasm", LAYER_NORM, layerNorm);
  replaceKernel("wasm", LAYER_NORM_GRADIENT, layerNormGradient);
}

/** New tensors of these shapes, and the addresses to write them at. */
function outputs(backend: BackendWasm, shapes: number[][]): { tensors: TensorInfo[]; addresses: number[] } {
  const tensors: TensorInfo[] = shapes.map((shape) => backend.makeOutput(shape, "float32"));
  return { tensors, addresses: tensors.map((tensor) => addressOf(backend, tensor)) };
}

function batchNorm({ inputs, attrs: { epsilon }, backend: anyBackend }: BatchNormCall): TensorInfo[] {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { rows, width } = rowsOf(inputs.x);
  const [x, gamma, beta] = [inputs.x, inputs.gamma, inputs.beta].map((tensor) => addressOf(backend, tensor));
  const { tensors, addresses } = outputs(backend, [inputs.x.shape, [width], [width]]);
  const [y, mean, variance] = addresses;
  withScratch(backend, kernels.batchNormScratchBytes(width), (scratch) =>
    kernels.batchNorm(rows, width, epsilon, x, gamma, beta, y, mean, variance, scratch),
  );
  return tensors;
}

function batchNormGradient({ inputs, attrs: { epsilon }, backend: anyBackend }: BatchNormGradientCall): TensorInfo[] {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { rows, width } = rowsOf(inputs.x);
  const given = [inputs.dy, inputs.x, inputs.gamma, inputs.mean, inputs.variance];
  const [dy, x, gamma, mean, variance] = given.map((tensor) => addressOf(backend, tensor));
  const { tensors, addresses } = outputs(backend, [inputs.x.shape, [width], [width]]);
  const [dx, dGamma, dBeta] = addresses;
  withScratch(backend, kernels.batchNormScratchBytes(width), (scratch) =>
    kernels.batchNormGradient(...[rows, width, epsilon, dy, x, gamma, mean, variance, dx, dGamma, dBeta, scratch]),
  );
  return tensors;
}

/** Runs `body` with the address of a tensor's elements, or where there is none, of a row of `otherwise`. */
function withRow(
  backend: BackendWasm,
  tensor: TensorInfo | undefined,
  width: number,
  otherwise: number,
  body: (address: number) => void,
): void {
  if (tensor !== undefined) body(addressOf(backend, tensor));
  else withFloats(backend, new Float32Array(width).fill(otherwise), body);
}

function layerNorm({ inputs, attrs: { epsilon }, backend: anyBackend }: LayerNormCall): TensorInfo[] {
  const backend = anyBackend as BackendWasm;
  const { x, gamma, beta } = inputs;
  const { rows, width } = rowsOf(x);
  const isPlain = gamma === undefined && beta === undefined;
  const { tensors, addresses } = outputs(backend, [x.shape, perRow(x), ...(isPlain ? [] : [x.shape])]);
  const [normal, inverse, y = normal] = addresses;
  withRow(backend, gamma, width, 1, (gamma) =>
    withRow(backend, beta, width, 0, (beta) =>
      trainingKernels(backend).layerNorm(
        ...[rows, width, epsilon, addressOf(backend, x), gamma, beta, normal, inverse, y],
      ),
    ),
  );
  return tensors;
}

function layerNormGradient({ inputs, attrs: { centered }, backend: anyBackend }: LayerNormGradientCall): TensorInfo[] {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { rows, width } = rowsOf(inputs.dy);
  const [dy, normal, inverse] = [inputs.dy, inputs.normal, inputs.inverse].map((tensor) => addressOf(backend, tensor));
  const isScaled = inputs.gamma !== undefined;
  const shapes = [inputs.dy.shape, ...(isScaled ? [[width]] : []), ...(centered ? [[width]] : [])];
  const { tensors, addresses } = outputs(backend, shapes);
  const [dx, ...parameters] = addresses;
  const rowBytes = 4 * width;
  withRow(backend, inputs.gamma, width, 1, (gamma) =>
    // What nobody asked for is written behind the kernel's own scratch.
    withScratch(backend, kernels.layerNormScratchBytes(width) + rowBytes * 2, (scratch) => {
      const unused = scratch + kernels.layerNormScratchBytes(width);
      const dGamma = isScaled ? parameters[0] : unused;
      const dBeta = centered ? parameters[parameters.length - 1] : unused + rowBytes;
      kernels.layerNormGradient(rows, width, dy, normal, inverse, gamma, dx, dGamma, dBeta, scratch);
    }),
  );
  return tensors;
}
