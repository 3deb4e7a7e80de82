import type { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { Multiply, util } from "../../tasks/tfjs/core.js";
import { DROPOUT, DROPOUT_MASK, type DropoutAttributes, keptValues, type MaskAttributes } from "../dropout.js";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { philox, streamOf } from "../philox.js";
import { tensorOf, valuesOf } from "./values.js";

export function registerDropout(): void {
  replaceKernel("cpu", DROPOUT_MASK, drawMask);
  replaceKernel("cpu", DROPOUT, applyMask);
}

const read = (backend: unknown, { dataId }: TensorInfo): ArrayLike<number> & Iterable<number> =>
  (backend as MathBackendCPU).data.get(dataId).values as Uint8Array | Int32Array;

function drawMask({ inputs: { key }, attrs, backend }: KernelCall<{ key: TensorInfo }, MaskAttributes>): TensorInfo {
  const mask = new Uint8Array(util.sizeFromShape(attrs.shape));
  const { key0, key1, counter2, counter3 } = streamOf(read(backend, key));
  const kept = keptValues(attrs);
  const words = new Uint32Array(4);
  for (let block = 0; 4 * block < mask.length; block++) {
    words[0] = block;
    words[1] = 0;
    words[2] = counter2;
    words[3] = counter3;
    philox(words, key0, key1);
    // A write past the end of the array does nothing.
    for (let i = 0; i < 4; i++) mask[4 * block + i] = (words[i] & 0x7fffff) < kept ? 1 : 0;
  }
  return (backend as MathBackendCPU).makeTensorInfo(attrs.shape, "bool", mask);
}

type Call = KernelCall<{ x: TensorInfo; mask: TensorInfo }, DropoutAttributes>;

function applyMask({ inputs: { x, mask }, attrs: { scale }, backend }: Call): TensorInfo {
  const kept = read(backend, mask);
  const apply = (values: Float32Array): TensorInfo => {
    const y = new Float32Array(values.length);
    for (let i = 0; i < y.length; i++) y[i] = values[i] * (kept[i] === 0 ? 0 : scale);
    return tensorOf(backend, mask.shape, y);
  };
  if (util.arraysEqual(x.shape, mask.shape)) return apply(valuesOf(backend, x));
  return compose("cpu", backend, (run) =>
    run(Multiply, { a: x, b: run.own(apply(new Float32Array(kept.length).fill(1))) }),
  );
}
