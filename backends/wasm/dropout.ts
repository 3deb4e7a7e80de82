import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { Fill, Multiply, util } from "../../tasks/tfjs/core.js";
import { DROPOUT, DROPOUT_MASK, type DropoutAttributes, keptValues, type MaskAttributes } from "../dropout.js";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { streamOf } from "../philox.js";
import { addressOf, output, trainingKernels } from "./training-kernels.js";

export function registerDropout(): void {
  replaceKernel("wasm", DROPOUT_MASK, drawMask);
  replaceKernel("wasm", DROPOUT, applyMask);
}

function drawMask({ inputs, attrs, backend: anyBackend }: KernelCall<{ key: TensorInfo }, MaskAttributes>): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const { shape } = attrs;
  const { key0, key1, counter2, counter3 } = streamOf(backend.readSync(inputs.key.dataId) as Int32Array);
  const draw = (mask: number): void => {
    const count = util.sizeFromShape(shape);
    trainingKernels(backend).dropoutMask(count, key0, key1, counter2, counter3, keptValues(attrs), mask);
  };
  return output(backend, shape, draw, "bool");
}

type Call = KernelCall<{ x: TensorInfo; mask: TensorInfo }, DropoutAttributes>;

function applyMask({ inputs: { x, mask }, attrs: { scale }, backend: anyBackend }: Call): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const apply = (to: TensorInfo): TensorInfo =>
    output(backend, to.shape, (y) => {
      const [count, addresses] = [util.sizeFromShape(to.shape), [to, mask].map((one) => addressOf(backend, one))];
      trainingKernels(backend).dropout(count, addresses[0], addresses[1], scale, y);
    });
  if (util.arraysEqual(x.shape, mask.shape)) return apply(x);
  return compose("wasm", backend, (run) => {
    const ones = run(Fill, {}, { shape: mask.shape, value: 1, dtype: "float32" });
    return run(Multiply, { a: x, b: run.own(apply(ones)) });
  });
}
