import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { _FusedMatMul, Add, BatchMatMul, broadcast_util, util } from "../../tasks/tfjs/core.js";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { activate, type FusedActivation } from "./activation.js";
import { addressOf, output, trainingKernels, withScratch } from "./training-kernels.js";

/**
 * Matrix products. The backend's own kernel is fast only for two plain matrices: with a transposed factor, which every
 * gradient of a dense layer has, or a batch of products it falls back to a scalar loop (1–3 GFLOP/s instead of 50),
 * which for fused products with more than 48 terms also adds the bias several times.
 */

interface Factors {
  a: TensorInfo;
  b: TensorInfo;
}

interface Transposes {
  transposeA: boolean;
  transposeB: boolean;
}

interface FusedInputs extends Factors {
  bias?: TensorInfo;
  preluActivationWeights?: TensorInfo;
}

export function registerMatMul(): void {
  replaceKernel("wasm", BatchMatMul, (call: KernelCall<Factors, Transposes>) =>
    multiply(call.backend as BackendWasm, call.inputs, call.attrs),
  );
  replaceKernel("wasm", _FusedMatMul, fusedMultiply);
}

function multiply(backend: BackendWasm, { a, b }: Factors, transposes: Transposes, bias?: TensorInfo): TensorInfo {
  const { transposeA, transposeB } = transposes;
  if (a.dtype !== "float32" || b.dtype !== "float32") throw new Error("matMul on wasm takes float32 tensors only.");
  const outer = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [aRows, aColumns] = a.shape.slice(-2);
  const [bRows, bColumns] = b.shape.slice(-2);
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [kOfB, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  util.assert(k === kOfB, () => `matMul of ${m} × ${k} by ${kOfB} × ${n}: the inner sizes differ.`);
  const aOffsets = matrixOffsets(a, outer);
  const bOffsets = matrixOffsets(b, outer);
  const aStrides: [row: number, column: number] = transposeA ? [4, 4 * m] : [4 * k, 4];
  const bStrides: [row: number, column: number] = transposeB ? [4, 4 * k] : [4 * n, 4];

  const kernels = trainingKernels(backend);
  return output(backend, [...outer, m, n], (address) => {
    if (bias !== undefined) kernels.repeatRow(aOffsets.length * m, n, addressOf(backend, bias), address);
    withScratch(backend, kernels.matmulScratchBytes(n, k), (scratch) => {
      for (let i = 0; i < aOffsets.length; i++) {
        const aMatrix = [addressOf(backend, a) + aOffsets[i], ...aStrides] as const;
        const bMatrix = [addressOf(backend, b) + bOffsets[i], ...bStrides] as const;
        kernels.matmul(m, n, k, ...aMatrix, ...bMatrix, address + 4 * i * m * n, bias !== undefined, scratch);
      }
    });
  });
}

/** The offset in bytes of each product's matrix in `factor`, which may be broadcast to the batch `outer`. */
function matrixOffsets(factor: TensorInfo, outer: number[]): number[] {
  const dimensions = factor.shape.slice(0, -2);
  const bytes = 4 * factor.shape.at(-2)! * factor.shape.at(-1)!;
  const outerStrides = [...util.computeStrides(outer), 1];
  const strides = [...util.computeStrides(dimensions), 1];
  const missing = outer.length - dimensions.length;
  return Array.from({ length: util.sizeFromShape(outer) }, (_, i) => {
    let matrix = 0;
    dimensions.forEach((size, axis) => {
      const at = Math.floor(i / outerStrides[axis + missing]) % outer[axis + missing];
      if (size > 1) matrix += at * strides[axis];
    });
    return matrix * bytes;
  });
}

function fusedMultiply(call: KernelCall<FusedInputs, Transposes & FusedActivation>): TensorInfo {
  const { inputs, attrs } = call;
  const { bias } = inputs;
  const backend = call.backend as BackendWasm;
  const columns = attrs.transposeB ? inputs.b.shape.at(-2) : inputs.b.shape.at(-1);
  const perColumn = bias !== undefined && bias.shape.length === 1 && bias.shape[0] === columns;
  return compose("wasm", backend, (run) => {
    const product = run.own(multiply(backend, inputs, attrs, perColumn ? bias : undefined));
    const sum = bias === undefined || perColumn ? product : run(Add, { a: product, b: bias });
    return activate(run, sum, attrs, inputs.preluActivationWeights);
  });
}
