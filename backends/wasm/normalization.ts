import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { TensorInfo } from "../kernels.js";
import {
  type BatchNormCall,
  type BatchNormGradientCall,
  type LayerNormCall,
  type LayerNormGradientCall,
  perRow,
  registerNormalizationKernels,
  rowsOf,
} from "../normalization.js";
import { addressOf, outputs, trainingKernels, withFloats, withScratch } from "./training-kernels.js";

export function registerNormalization(): void {
  registerNormalizationKernels("wasm", { batchNorm, batchNormGradient, layerNorm, layerNormGradient });
}

function batchNorm({ inputs, attrs: { epsilon }, backend: anyBackend }: BatchNormCall): TensorInfo[] {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { rows, width } = rowsOf(inputs.x);
  const [x, gamma, beta] = [inputs.x, inputs.gamma, inputs.beta].map((tensor) => addressOf(backend, tensor));
  return outputs(backend, [inputs.x.shape, [width], [width]], (y, mean, variance) =>
    withScratch(backend, kernels.batchNormScratchBytes(width), (scratch) =>
      kernels.batchNorm(rows, width, epsilon, x, gamma, beta, y, mean, variance, scratch),
    ),
  );
}

function batchNormGradient({ inputs, attrs: { epsilon }, backend: anyBackend }: BatchNormGradientCall): TensorInfo[] {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { rows, width } = rowsOf(inputs.x);
  const given = [inputs.dy, inputs.x, inputs.gamma, inputs.mean, inputs.variance];
  const [dy, x, gamma, mean, variance] = given.map((tensor) => addressOf(backend, tensor));
  return outputs(backend, [inputs.x.shape, [width], [width]], (dx, dGamma, dBeta) =>
    withScratch(backend, kernels.batchNormScratchBytes(width), (scratch) =>
      kernels.batchNormGradient(...[rows, width, epsilon, dy, x, gamma, mean, variance, dx, dGamma, dBeta, scratch]),
    ),
  );
}

/** Runs `body` with the address of a tensor's elements; without a tensor, with the address of a row of `otherwise`. */
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
  const shapes = [x.shape, perRow(x), ...(isPlain ? [] : [x.shape])];
  return outputs(backend, shapes, (normal, inverse, y = normal) =>
    withRow(backend, gamma, width, 1, (gamma) =>
      withRow(backend, beta, width, 0, (beta) =>
        trainingKernels(backend).layerNorm(
          ...[rows, width, epsilon, addressOf(backend, x), gamma, beta, normal, inverse, y],
        ),
      ),
    ),
  );
}

function layerNormGradient({ inputs, attrs: { centered }, backend: anyBackend }: LayerNormGradientCall): TensorInfo[] {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { rows, width } = rowsOf(inputs.dy);
  const [dy, normal, inverse] = [inputs.dy, inputs.normal, inputs.inverse].map((tensor) => addressOf(backend, tensor));
  const isScaled = inputs.gamma !== undefined;
  const shapes = [inputs.dy.shape, ...(isScaled ? [[width]] : []), ...(centered ? [[width]] : [])];
  const rowBytes = 4 * width;
  return outputs(backend, shapes, (dx, ...parameters) =>
    withRow(backend, inputs.gamma, width, 1, (gamma) =>
      // A gradient that is not requested is written after the kernel's own scratch memory.
      withScratch(backend, kernels.layerNormScratchBytes(width) + rowBytes * 2, (scratch) => {
        const unused = scratch + kernels.layerNormScratchBytes(width);
        const dGamma = isScaled ? parameters[0] : unused;
        const dBeta = centered ? parameters[parameters.length - 1] : unused + rowBytes;
        kernels.layerNormGradient(rows, width, dy, normal, inverse, gamma, dx, dGamma, dBeta, scratch);
      }),
    ),
  );
}
