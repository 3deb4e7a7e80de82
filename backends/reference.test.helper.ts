import { type Array64, array64, sizeOf } from "./gradient-check.test.helper.js";

/** Operations in float64, from their definitions, as plainly as can be; the specification the kernels are held to. */

type Pair = [number, number];

/**
 * One axis of a sliding window: where output position `o`, window position `w` looks, and how many outputs there are.
 */
export interface Sliding {
  out: number;
  at(o: number, w: number): number;
}

/** TensorFlow's rule for "same": ⌈size / stride⌉ outputs, the odd cell of padding at the end. */
export function sliding(
  size: number,
  window: number,
  stride: number,
  dilation: number,
  pad: "same" | "valid" | Pair,
): Sliding {
  const reach = (window - 1) * dilation + 1;
  let out = Math.floor((size - reach) / stride) + 1;
  let before = 0;
  if (pad === "same") {
    out = Math.ceil(size / stride);
    before = Math.floor(Math.max(0, (out - 1) * stride + reach - size) / 2);
  } else if (pad !== "valid") {
    before = pad[0];
    out = Math.floor((size + pad[0] + pad[1] - reach) / stride) + 1;
  }
  return { out, at: (o, w) => o * stride - before + w * dilation };
}

/** Calls `visit` with every index of `shape` in order, and its position in memory. */
export function forIndices(shape: number[], visit: (index: number[], position: number) => void): void {
  const index = shape.map(() => 0);
  for (let position = 0; position < sizeOf(shape); position++) {
    visit(index, position);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** The position in memory of an index. */
export function position(shape: number[], index: number[]): number {
  return index.reduce((sum, at, axis) => sum * shape[axis] + at, 0);
}

/** The array of `shape` whose element at each index is `value(index)`. */
export function build(shape: number[], value: (index: number[]) => number): Array64 {
  const result = array64(shape);
  forIndices(shape, (index, at) => {
    result.values[at] = value(index);
  });
  return result;
}

/** x (n, …spatial, channels), filter (…spatial, channels, filters); `axes` has one sliding window a spatial axis. */
export function convolution(x: Array64, filter: Array64, axes: Sliding[]): Array64 {
  const window = filter.shape.slice(0, axes.length);
  const [channels, filters] = filter.shape.slice(axes.length);
  const inside = x.shape.slice(1, -1);
  return build([x.shape[0], ...axes.map((axis) => axis.out), filters], (index) => {
    let sum = 0;
    forIndices(window, (w, windowAt) => {
      const from = axes.map((axis, i) => axis.at(index[i + 1], w[i]));
      if (from.some((at, i) => at < 0 || at >= inside[i])) return;
      const point = position(x.shape, [index[0], ...from, 0]);
      for (let c = 0; c < channels; c++) {
        sum += x.values[point + c] * filter.values[(windowAt * channels + c) * filters + index[axes.length + 1]];
      }
    });
    return sum;
  });
}

/** x (n, h, w, channels), filter (kh, kw, channels, multiplier); channel c makes [c·multiplier, (c+1)·multiplier). */
export function depthwiseConvolution(x: Array64, filter: Array64, axes: [Sliding, Sliding]): Array64 {
  const [kh, kw, channels, multiplier] = filter.shape;
  return build([x.shape[0], axes[0].out, axes[1].out, channels * multiplier], ([n, i, j, out]) => {
    let sum = 0;
    const c = Math.floor(out / multiplier);
    for (let p = 0; p < kh; p++) {
      for (let q = 0; q < kw; q++) {
        const [row, column] = [axes[0].at(i, p), axes[1].at(j, q)];
        if (row < 0 || row >= x.shape[1] || column < 0 || column >= x.shape[2]) continue;
        const weight = filter.values[position(filter.shape, [p, q, c, out % multiplier])];
        sum += x.values[position(x.shape, [n, row, column, c])] * weight;
      }
    }
    return sum;
  });
}

/** Max or mean over windows (…spatial) of x (n, …spatial, channels); what is outside does not belong to a window. */
export function pool(x: Array64, window: number[], axes: Sliding[], kind: "max" | "mean"): Array64 {
  const inside = x.shape.slice(1, -1);
  return build([x.shape[0], ...axes.map((axis) => axis.out), x.shape.at(-1)!], (index) => {
    let maximum = -Infinity;
    let sum = 0;
    let count = 0;
    forIndices(window, (w) => {
      const from = axes.map((axis, i) => axis.at(index[i + 1], w[i]));
      if (from.some((at, i) => at < 0 || at >= inside[i])) return;
      const value = x.values[position(x.shape, [index[0], ...from, index.at(-1)!])];
      maximum = Math.max(maximum, value);
      sum += value;
      count++;
    });
    return kind === "max" ? maximum : sum / count;
  });
}

/** a (…, m, k) · b (…, k, n), either transposed in its last two axes; the axes before are broadcast. */
export function product(a: Array64, b: Array64, transposeA = false, transposeB = false): Array64 {
  const [m, k] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const n = transposeB ? b.shape.at(-2)! : b.shape.at(-1)!;
  const rank = Math.max(a.shape.length, b.shape.length) - 2;
  const padded = (shape: number[]): number[] => [...Array(rank + 2 - shape.length).fill(1), ...shape.slice(0, -2)];
  const [aOuter, bOuter] = [padded(a.shape), padded(b.shape)];
  const at = (factor: Array64, outer: number[], index: number[], row: number, column: number): number => {
    const matrix = position(
      outer,
      index.map((i, axis) => (outer[axis] === 1 ? 0 : i)),
    );
    return factor.values[(matrix * factor.shape.at(-2)! + row) * factor.shape.at(-1)! + column];
  };
  const outer = aOuter.map((size, axis) => Math.max(size, bOuter[axis]));
  return build([...outer, m, n], (index) => {
    const [i, j] = index.slice(-2);
    const batch = index.slice(0, -2);
    let sum = 0;
    for (let l = 0; l < k; l++) {
      const left = transposeA ? at(a, aOuter, batch, l, i) : at(a, aOuter, batch, i, l);
      sum += left * (transposeB ? at(b, bOuter, batch, j, l) : at(b, bOuter, batch, l, j));
    }
    return sum;
  });
}
