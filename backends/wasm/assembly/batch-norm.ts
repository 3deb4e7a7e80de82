/**
 * Normalisation over a batch, channel by channel, and its gradient: x is rows × columns, one column per channel.
 *
 * One pass sums, another writes. It sums differences from a pivot near the mean, so that no digits are lost where a
 * mean is large compared with its deviation: n·variance = Σ(x − pivot)² − (Σ(x − pivot))² / n. They are added up in
 * float32 over `rowBlock` rows, and the blocks in float64.
 */

import { copyRow, zeroRow } from "./rows";

/** Rows that are added up in float32 before their sum joins the total. */
const rowBlock: i32 = 256;

/** The number of rows, evenly spaced, whose mean is the pivot. */
const pivotRows: i32 = 256;

/** Bytes of scratch that `batchNorm` and `batchNormGradient` take: three totals and four numbers per column. */
export function batchNormScratchBytes(columns: i32): usize {
  return <usize>columns * (3 * 8 + 4 * 4);
}

/** y = (x − mean) / √(variance + epsilon) · gamma + beta; mean and variance (columns) are written too. */
export function batchNorm(
  rows: i32,
  columns: i32,
  epsilon: f64,
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  mean: usize,
  variance: usize,
  scratch: usize,
): void {
  const bytes = (<usize>columns) << 2;
  const totals = scratch;
  const squares = totals + 2 * bytes;
  const pivot = squares + 2 * bytes;
  const factor = pivot + bytes;
  const offset = factor + bytes;
  meanOfSome(rows, columns, x, pivot);
  memory.fill(totals, 0, 4 * bytes);
  for (let row = 0; row < rows; row += rowBlock) {
    addDifferences(min(rowBlock, rows - row), bytes, x + <usize>row * bytes, pivot, totals, squares);
  }
  for (let at: usize = 0; at < bytes; at += 4) {
    const shift = load<f64>(totals + 2 * at) / <f64>rows;
    const raw = load<f64>(squares + 2 * at) / <f64>rows - shift * shift;
    // Not with max(), which would drop a NaN.
    const spread: f64 = raw < 0 ? 0 : raw;
    const scale = <f64>load<f32>(gamma + at) / sqrt<f64>(spread + epsilon);
    store<f32>(mean + at, <f32>(<f64>load<f32>(pivot + at) + shift));
    store<f32>(variance + at, <f32>spread);
    store<f32>(factor + at, <f32>scale);
    store<f32>(offset + at, <f32>(<f64>load<f32>(beta + at) - shift * scale));
  }
  for (let row = 0; row < rows; row++, x += bytes, y += bytes) {
    let at: usize = 0;
    for (; at + 16 <= bytes; at += 16) {
      const scaled = f32x4.mul(f32x4.sub(v128.load(x + at), v128.load(pivot + at)), v128.load(factor + at));
      v128.store(y + at, f32x4.add(scaled, v128.load(offset + at)));
    }
    for (; at < bytes; at += 4) {
      const scaled = (load<f32>(x + at) - load<f32>(pivot + at)) * load<f32>(factor + at);
      store<f32>(y + at, scaled + load<f32>(offset + at));
    }
  }
}

/** out (columns) = the mean of `pivotRows` rows of x. */
function meanOfSome(rows: i32, columns: i32, x: usize, out: usize): void {
  const bytes = (<usize>columns) << 2;
  const count = min(rows, pivotRows);
  const apart = <usize>(rows / count) * bytes;
  zeroRow(out, bytes);
  for (let i = 0; i < count; i++, x += apart) {
    for (let at: usize = 0; at < bytes; at += 4) store<f32>(out + at, load<f32>(out + at) + load<f32>(x + at));
  }
  for (let at: usize = 0; at < bytes; at += 4) store<f32>(out + at, load<f32>(out + at) / <f32>count);
}

/** Adds Σ(x − pivot) and Σ(x − pivot)² of some rows to the totals of each column. */
function addDifferences(rows: i32, bytes: usize, x: usize, pivot: usize, totals: usize, squares: usize): void {
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const p0 = v128.load(pivot + at);
    const p1 = v128.load(pivot + at, 16);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let q0 = f32x4.splat(0);
    let q1 = f32x4.splat(0);
    let from = x + at;
    for (let row = 0; row < rows; row++, from += bytes) {
      const d0 = f32x4.sub(v128.load(from), p0);
      const d1 = f32x4.sub(v128.load(from, 16), p1);
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      q0 = f32x4.add(q0, f32x4.mul(d0, d0));
      q1 = f32x4.add(q1, f32x4.mul(d1, d1));
    }
    addTotals(totals + 2 * at, s0);
    addTotals(totals + 2 * at + 32, s1);
    addTotals(squares + 2 * at, q0);
    addTotals(squares + 2 * at + 32, q1);
  }
  for (; at < bytes; at += 4) {
    const p = load<f32>(pivot + at);
    let s: f32 = 0;
    let q: f32 = 0;
    let from = x + at;
    for (let row = 0; row < rows; row++, from += bytes) {
      const d = load<f32>(from) - p;
      s += d;
      q += d * d;
    }
    store<f64>(totals + 2 * at, load<f64>(totals + 2 * at) + <f64>s);
    store<f64>(squares + 2 * at, load<f64>(squares + 2 * at) + <f64>q);
  }
}

/**
 * dx = gamma / √(variance + epsilon) · (dy − mean(dy) − normal · mean(dy · normal)), dGamma = Σ dy · normal and
 * dBeta = Σ dy, with normal = (x − mean) / √(variance + epsilon). The given mean, which
 * was rounded, is the pivot; the difference to the exact mean is computed again.
 */
export function batchNormGradient(
  rows: i32,
  columns: i32,
  epsilon: f64,
  dy: usize,
  x: usize,
  gamma: usize,
  mean: usize,
  variance: usize,
  dx: usize,
  dGamma: usize,
  dBeta: usize,
  scratch: usize,
): void {
  const bytes = (<usize>columns) << 2;
  const differences = scratch;
  const gradients = differences + 2 * bytes;
  const products = gradients + 2 * bytes;
  const ofDy = products + 2 * bytes;
  const ofX = ofDy + bytes;
  const offset = ofX + bytes;
  const pivot = offset + bytes;
  copyRow(pivot, mean, bytes);
  memory.fill(differences, 0, 6 * bytes);
  for (let row = 0; row < rows; row += rowBlock) {
    const height = min(rowBlock, rows - row);
    const from = <usize>row * bytes;
    addProducts(height, bytes, dy + from, x + from, pivot, differences, gradients, products);
  }
  for (let at: usize = 0; at < bytes; at += 4) {
    const n = <f64>rows;
    const shift = load<f64>(differences + 2 * at) / n;
    const sum = load<f64>(gradients + 2 * at);
    const inverse = 1 / sqrt<f64>(<f64>load<f32>(variance + at) + epsilon);
    const along = (load<f64>(products + 2 * at) - shift * sum) * inverse;
    const factor = <f64>load<f32>(gamma + at) * inverse;
    const slope = (-factor * inverse * along) / n;
    store<f32>(dGamma + at, <f32>along);
    store<f32>(dBeta + at, <f32>sum);
    store<f32>(ofDy + at, <f32>factor);
    store<f32>(ofX + at, <f32>slope);
    store<f32>(offset + at, <f32>((-factor * sum) / n - slope * shift));
  }
  for (let row = 0; row < rows; row++, x += bytes, dy += bytes, dx += bytes) {
    let at: usize = 0;
    for (; at + 16 <= bytes; at += 16) {
      const difference = f32x4.sub(v128.load(x + at), v128.load(pivot + at));
      const rest = f32x4.add(f32x4.mul(difference, v128.load(ofX + at)), v128.load(offset + at));
      v128.store(dx + at, f32x4.add(f32x4.mul(v128.load(dy + at), v128.load(ofDy + at)), rest));
    }
    for (; at < bytes; at += 4) {
      const rest = (load<f32>(x + at) - load<f32>(pivot + at)) * load<f32>(ofX + at) + load<f32>(offset + at);
      store<f32>(dx + at, load<f32>(dy + at) * load<f32>(ofDy + at) + rest);
    }
  }
}

/** Adds Σ(x − pivot), Σdy and Σdy · (x − pivot) of some rows to the totals of each column. */
function addProducts(
  rows: i32,
  bytes: usize,
  dy: usize,
  x: usize,
  pivot: usize,
  differences: usize,
  gradients: usize,
  products: usize,
): void {
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const p0 = v128.load(pivot + at);
    const p1 = v128.load(pivot + at, 16);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let g0 = f32x4.splat(0);
    let g1 = f32x4.splat(0);
    let q0 = f32x4.splat(0);
    let q1 = f32x4.splat(0);
    let fromX = x + at;
    let fromDy = dy + at;
    for (let row = 0; row < rows; row++, fromX += bytes, fromDy += bytes) {
      const d0 = f32x4.sub(v128.load(fromX), p0);
      const d1 = f32x4.sub(v128.load(fromX, 16), p1);
      const dy0 = v128.load(fromDy);
      const dy1 = v128.load(fromDy, 16);
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      g0 = f32x4.add(g0, dy0);
      g1 = f32x4.add(g1, dy1);
      q0 = f32x4.add(q0, f32x4.mul(d0, dy0));
      q1 = f32x4.add(q1, f32x4.mul(d1, dy1));
    }
    addTotals(differences + 2 * at, s0);
    addTotals(differences + 2 * at + 32, s1);
    addTotals(gradients + 2 * at, g0);
    addTotals(gradients + 2 * at + 32, g1);
    addTotals(products + 2 * at, q0);
    addTotals(products + 2 * at + 32, q1);
  }
  for (; at < bytes; at += 4) {
    const p = load<f32>(pivot + at);
    let s: f32 = 0;
    let g: f32 = 0;
    let q: f32 = 0;
    let fromX = x + at;
    let fromDy = dy + at;
    for (let row = 0; row < rows; row++, fromX += bytes, fromDy += bytes) {
      const d = load<f32>(fromX) - p;
      const gradient = load<f32>(fromDy);
      s += d;
      g += gradient;
      q += d * gradient;
    }
    store<f64>(differences + 2 * at, load<f64>(differences + 2 * at) + <f64>s);
    store<f64>(gradients + 2 * at, load<f64>(gradients + 2 * at) + <f64>g);
    store<f64>(products + 2 * at, load<f64>(products + 2 * at) + <f64>q);
  }
}

/** Adds four sums to the four totals at `totals`. */
function addTotals(totals: usize, sums: v128): void {
  const high = v128.shuffle<i32>(sums, sums, 2, 3, 2, 3);
  v128.store(totals, f64x2.add(v128.load(totals), f64x2.promote_low_f32x4(sums)));
  v128.store(totals, f64x2.add(v128.load(totals, 16), f64x2.promote_low_f32x4(high)), 16);
}
