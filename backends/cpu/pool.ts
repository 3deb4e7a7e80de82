import { AvgPool3DGrad, AvgPoolGrad, MaxPool3DGrad } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { type PoolAttributes, type PoolSizes, poolSizes } from "../pooling.js";
import { tensorOf, valuesOf } from "./values.js";

/**
 * Gradients of pooling. Where part of a window is outside, the backend's own mean divides by the whole window, which
 * the forward kernel does not, and its maximum over volumes is wrong.
 */
export function registerPoolGradients(): void {
  for (const name of [AvgPoolGrad, AvgPool3DGrad]) replaceKernel("cpu", name, averagePoolGradient);
  replaceKernel("cpu", MaxPool3DGrad, maxPoolGradient);
}

/**
 * Calls `visit` for every window with the element number of its first channel in y, and those of the first channel of
 * each of its points in x.
 */
function forWindows(sizes: PoolSizes, visit: (y: number, points: number[]) => void): void {
  const { batch, channels, input, output, window, strides, pad } = sizes;
  let y = 0;
  const range = (axis: number, o: number): [from: number, to: number] => {
    const from = o * strides[axis] - pad[axis];
    return [Math.max(0, from), Math.min(input[axis], from + window[axis])];
  };
  for (let n = 0; n < batch; n++) {
    for (let h = 0; h < output[0]; h++) {
      const [front, back] = range(0, h);
      for (let i = 0; i < output[1]; i++) {
        const [top, bottom] = range(1, i);
        for (let j = 0; j < output[2]; j++, y += channels) {
          const [left, right] = range(2, j);
          const points: number[] = [];
          for (let plane = front; plane < back; plane++) {
            for (let row = top; row < bottom; row++) {
              const line = ((n * input[0] + plane) * input[1] + row) * input[2];
              for (let column = left; column < right; column++) points.push((line + column) * channels);
            }
          }
          visit(y, points);
        }
      }
    }
  }
}

type Call = KernelCall<{ dy: TensorInfo; input: TensorInfo }, PoolAttributes>;

function averagePoolGradient({ inputs, attrs, backend }: Call): TensorInfo {
  const sizes = poolSizes(inputs.input.shape, attrs);
  const dy = valuesOf(backend, inputs.dy);
  const dx = new Float64Array(valuesOf(backend, inputs.input).length);
  forWindows(sizes, (y, points) => {
    for (const point of points) {
      for (let c = 0; c < sizes.channels; c++) dx[point + c] += dy[y + c] / points.length;
    }
  });
  return tensorOf(backend, inputs.input.shape, dx);
}

function maxPoolGradient({ inputs, attrs, backend }: Call): TensorInfo {
  const sizes = poolSizes(inputs.input.shape, attrs);
  const [dy, x] = [valuesOf(backend, inputs.dy), valuesOf(backend, inputs.input)];
  const dx = new Float64Array(x.length);
  forWindows(sizes, (y, points) => {
    for (let c = 0; c < sizes.channels; c++) {
      let best = -1;
      let maximum = -Infinity;
      for (const point of points) {
        if (!(x[point + c] > maximum)) continue;
        maximum = x[point + c];
        best = point + c;
      }
      if (best >= 0) dx[best] += dy[y + c];
    }
  });
  return tensorOf(backend, inputs.input.shape, dx);
}
