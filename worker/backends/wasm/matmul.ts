import { _FusedMatMul, BatchMatMul, type KernelFunc, Transpose } from "@tensorflow/tfjs-core";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";

/**
 * Matrix products whose factors are transposed, as every dense layer's gradient has them. The backend's own kernel
 * falls back to a scalar loop for them (1–3 GFLOP/s against about 40); transposing first costs a few per cent.
 */

interface MatMulInputs {
  a: TensorInfo;
  b: TensorInfo;
}

interface MatMulAttributes {
  transposeA: boolean;
  transposeB: boolean;
}

export function registerMatMul(): void {
  for (const kernelName of [BatchMatMul, _FusedMatMul]) replaceKernel("wasm", kernelName, untransposed);
}

function untransposed(call: KernelCall<MatMulInputs, MatMulAttributes>, original: KernelFunc | undefined): TensorInfo {
  const { backend, inputs, attrs } = call;
  const run = original!;
  if (!attrs.transposeA && !attrs.transposeB) return run(call as never) as TensorInfo;
  return compose("wasm", backend, (kernel) => {
    const swapped = (x: TensorInfo): TensorInfo => {
      const perm = x.shape.map((_, axis) => axis);
      perm.push(perm.pop()!, perm.pop()!);
      return kernel(Transpose, { x }, { perm });
    };
    const a = attrs.transposeA ? swapped(inputs.a) : inputs.a;
    const b = attrs.transposeB ? swapped(inputs.b) : inputs.b;
    const plain = { ...call, inputs: { ...inputs, a, b }, attrs: { ...attrs, transposeA: false, transposeB: false } };
    return run(plain as never) as TensorInfo;
  });
}
