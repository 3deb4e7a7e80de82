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
import { tensorOf, valuesOf } from "./values.js";

/** Normalisation, in float64 until a result is written; a variance is computed in a second pass, about the mean. */
export function registerNormalization(): void {
  registerNormalizationKernels("cpu", { batchNorm, batchNormGradient, layerNorm, layerNormGradient });
}

/** The mean of `term` over the rows, for each column. */
function columnMeans(rows: number, columns: number, term: (at: number, column: number) => number): Float64Array {
  const means = new Float64Array(columns);
  for (let at = 0; at < rows * columns; at++) means[at % columns] += term(at, at % columns);
  return means.map((sum) => sum / rows);
}

function batchNorm({ inputs, attrs: { epsilon }, backend }: BatchNormCall): TensorInfo[] {
  const [x, gamma, beta] = [inputs.x, inputs.gamma, inputs.beta].map((tensor) => valuesOf(backend, tensor));
  const { rows, width } = rowsOf(inputs.x);
  const mean = columnMeans(rows, width, (at) => x[at]);
  const variance = columnMeans(rows, width, (at, c) => (x[at] - mean[c]) ** 2);
  const y = Float64Array.from(x, (value, at) => {
    const c = at % width;
    return ((value - mean[c]) / Math.sqrt(variance[c] + epsilon)) * gamma[c] + beta[c];
  });
  return [tensorOf(backend, inputs.x.shape, y), tensorOf(backend, [width], mean), tensorOf(backend, [width], variance)];
}

function batchNormGradient({ inputs, attrs: { epsilon }, backend }: BatchNormGradientCall): TensorInfo[] {
  const [dy, x, gamma, variance] = [inputs.dy, inputs.x, inputs.gamma, inputs.variance].map((tensor) =>
    valuesOf(backend, tensor),
  );
  const { rows, width } = rowsOf(inputs.x);
  // Computed again, because the given one was rounded to float32.
  const mean = columnMeans(rows, width, (at) => x[at]);
  const inverse = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));
  const normal = (at: number, c: number): number => (x[at] - mean[c]) * inverse[c];
  const meanOfDy = columnMeans(rows, width, (at) => dy[at]);
  const meanOfProducts = columnMeans(rows, width, (at, c) => dy[at] * normal(at, c));
  const dx = Float64Array.from(dy, (value, at) => {
    const c = at % width;
    return gamma[c] * inverse[c] * (value - meanOfDy[c] - normal(at, c) * meanOfProducts[c]);
  });
  const sums = (means: Float64Array): TensorInfo =>
    tensorOf(
      backend,
      [width],
      means.map((value) => value * rows),
    );
  return [tensorOf(backend, inputs.x.shape, dx), sums(meanOfProducts), sums(meanOfDy)];
}

/** Calls `visit` for the elements [from, to) of each row. */
function forRows(rows: number, width: number, visit: (from: number, to: number, row: number) => void): void {
  for (let row = 0; row < rows; row++) visit(row * width, (row + 1) * width, row);
}

function meanOf(from: number, to: number, term: (at: number) => number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += term(at);
  return sum / (to - from);
}

function layerNorm({ inputs, attrs: { epsilon }, backend }: LayerNormCall): TensorInfo[] {
  const x = valuesOf(backend, inputs.x);
  const { rows, width } = rowsOf(inputs.x);
  const normal = new Float64Array(x.length);
  const inverse = new Float64Array(rows);
  forRows(rows, width, (from, to, row) => {
    const mean = meanOf(from, to, (at) => x[at]);
    inverse[row] = 1 / Math.sqrt(meanOf(from, to, (at) => (x[at] - mean) ** 2) + epsilon);
    for (let at = from; at < to; at++) normal[at] = (x[at] - mean) * inverse[row];
  });
  const outputs = [tensorOf(backend, inputs.x.shape, normal), tensorOf(backend, perRow(inputs.x), inverse)];
  if (inputs.gamma === undefined && inputs.beta === undefined) return outputs;
  const gamma = inputs.gamma && valuesOf(backend, inputs.gamma);
  const beta = inputs.beta && valuesOf(backend, inputs.beta);
  const y = normal.map((value, at) => value * (gamma?.[at % width] ?? 1) + (beta?.[at % width] ?? 0));
  return [...outputs, tensorOf(backend, inputs.x.shape, y)];
}

function layerNormGradient({ inputs, attrs: { centered }, backend }: LayerNormGradientCall): TensorInfo[] {
  const [dy, normal, inverse] = [inputs.dy, inputs.normal, inputs.inverse].map((tensor) => valuesOf(backend, tensor));
  const gamma = inputs.gamma && valuesOf(backend, inputs.gamma);
  const { rows, width } = rowsOf(inputs.dy);
  const scaled = gamma === undefined ? Float64Array.from(dy) : Float64Array.from(dy, (g, at) => g * gamma[at % width]);
  const dx = new Float64Array(dy.length);
  forRows(rows, width, (from, to, row) => {
    const mean = meanOf(from, to, (at) => scaled[at]);
    const along = meanOf(from, to, (at) => scaled[at] * normal[at]);
    for (let at = from; at < to; at++) dx[at] = (scaled[at] - mean - normal[at] * along) * inverse[row];
  });
  const sums = (term: (at: number) => number): TensorInfo =>
    tensorOf(
      backend,
      [width],
      columnMeans(rows, width, term).map((mean) => mean * rows),
    );
  return [
    tensorOf(backend, inputs.dy.shape, dx),
    ...(gamma === undefined ? [] : [sums((at) => dy[at] * normal[at])]),
    ...(centered ? [sums((at) => dy[at])] : []),
  ];
}
