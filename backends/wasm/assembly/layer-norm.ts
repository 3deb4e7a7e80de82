/**
 * Normalisation of each row of x (rows × width) by itself, and its gradient. A row is summed first for its mean, and
 * then about that mean, which gives its variance and the mean's rounding error. Numbers are added up in float32 within
 * a block, and the blocks in float64.
 */

import { addRow, zeroRow } from "./rows";

/** Bytes of a block: 1,024 numbers, in two vectors of four sums each. */
const block: usize = 4096;

/** Rows whose gradients for gamma and beta are added up before they join the total. */
const rowBlock: i32 = 64;

/** normal = (x − mean) · inverse, inverse (rows) = 1 / √(variance + epsilon), y = normal · gamma + beta. */
export function layerNorm(
  rows: i32,
  width: i32,
  epsilon: f64,
  x: usize,
  gamma: usize,
  beta: usize,
  normal: usize,
  inverse: usize,
  y: usize,
): void {
  const bytes = (<usize>width) << 2;
  for (let row = 0; row < rows; row++, x += bytes, normal += bytes, y += bytes, inverse += 4) {
    const pivot = <f32>(sumOf(x, bytes) / <f64>width);
    sumAbout(x, bytes, pivot);
    const shift = sum1 / <f64>width;
    const raw = sum2 / <f64>width - shift * shift;
    // Not with max(), which would drop a NaN.
    const factor = 1 / sqrt<f64>((raw < 0 ? 0 : raw) + epsilon);
    const offset = <f32>(-shift * factor);
    store<f32>(inverse, <f32>factor);
    let at: usize = 0;
    const p = f32x4.splat(pivot);
    const f = f32x4.splat(<f32>factor);
    const o = f32x4.splat(offset);
    for (; at + 16 <= bytes; at += 16) {
      const n = f32x4.add(f32x4.mul(f32x4.sub(v128.load(x + at), p), f), o);
      v128.store(normal + at, n);
      v128.store(y + at, f32x4.add(f32x4.mul(n, v128.load(gamma + at)), v128.load(beta + at)));
    }
    for (; at < bytes; at += 4) {
      const n = (load<f32>(x + at) - pivot) * <f32>factor + offset;
      store<f32>(normal + at, n);
      store<f32>(y + at, n * load<f32>(gamma + at) + load<f32>(beta + at));
    }
  }
}

function sumOf(x: usize, bytes: usize): f64 {
  let sum: f64 = 0;
  for (let from: usize = 0; from < bytes; from += block) {
    const end = min(bytes, from + block);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let at = from;
    for (; at + 32 <= end; at += 32) {
      s0 = f32x4.add(s0, v128.load(x + at));
      s1 = f32x4.add(s1, v128.load(x + at, 16));
    }
    sum += sumOfFour(s0) + sumOfFour(s1);
    for (; at < end; at += 4) sum += <f64>load<f32>(x + at);
  }
  return sum;
}

// The results of `sumAbout`, Σ(x − pivot) and Σ(x − pivot)², or of `sumScaled`, Σg and Σg · normal.
let sum1: f64 = 0;
let sum2: f64 = 0;

function sumAbout(x: usize, bytes: usize, pivot: f32): void {
  const p = f32x4.splat(pivot);
  sum1 = 0;
  sum2 = 0;
  for (let from: usize = 0; from < bytes; from += block) {
    const end = min(bytes, from + block);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let q0 = f32x4.splat(0);
    let q1 = f32x4.splat(0);
    let at = from;
    for (; at + 32 <= end; at += 32) {
      const d0 = f32x4.sub(v128.load(x + at), p);
      const d1 = f32x4.sub(v128.load(x + at, 16), p);
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      q0 = f32x4.add(q0, f32x4.mul(d0, d0));
      q1 = f32x4.add(q1, f32x4.mul(d1, d1));
    }
    sum1 += sumOfFour(s0) + sumOfFour(s1);
    sum2 += sumOfFour(q0) + sumOfFour(q1);
    for (; at < end; at += 4) {
      const d = <f64>(load<f32>(x + at) - pivot);
      sum1 += d;
      sum2 += d * d;
    }
  }
}

/** Bytes of scratch that `layerNormGradient` takes. */
export function layerNormScratchBytes(width: i32): usize {
  return (<usize>width) << 3;
}

/**
 * dx = (g − mean(g) − normal · mean(g · normal)) · inverse of each row, with g = dy · gamma; dGamma (width) = Σ dy ·
 * normal and dBeta (width) = Σ dy over the rows.
 */
export function layerNormGradient(
  rows: i32,
  width: i32,
  dy: usize,
  normal: usize,
  inverse: usize,
  gamma: usize,
  dx: usize,
  dGamma: usize,
  dBeta: usize,
  scratch: usize,
): void {
  const bytes = (<usize>width) << 2;
  const ofGamma = scratch;
  const ofBeta = scratch + bytes;
  zeroRow(dGamma, bytes);
  zeroRow(dBeta, bytes);
  for (let first = 0; first < rows; first += rowBlock) {
    zeroRow(ofGamma, bytes);
    zeroRow(ofBeta, bytes);
    const end = min(rows, first + rowBlock);
    for (let row = first; row < end; row++, dy += bytes, normal += bytes, dx += bytes, inverse += 4) {
      addParameters(bytes, dy, normal, ofGamma, ofBeta);
      sumScaled(bytes, dy, normal, gamma);
      const mean = <f32>(sum1 / <f64>width);
      const along = <f32>(sum2 / <f64>width);
      writeGradient(bytes, dy, normal, gamma, mean, along, load<f32>(inverse), dx);
    }
    addRow(dGamma, ofGamma, bytes);
    addRow(dBeta, ofBeta, bytes);
  }
}

function addParameters(bytes: usize, dy: usize, normal: usize, ofGamma: usize, ofBeta: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const gradient = v128.load(dy + at);
    const product = f32x4.mul(gradient, v128.load(normal + at));
    v128.store(ofGamma + at, f32x4.add(v128.load(ofGamma + at), product));
    v128.store(ofBeta + at, f32x4.add(v128.load(ofBeta + at), gradient));
  }
  for (; at < bytes; at += 4) {
    const gradient = load<f32>(dy + at);
    store<f32>(ofGamma + at, load<f32>(ofGamma + at) + gradient * load<f32>(normal + at));
    store<f32>(ofBeta + at, load<f32>(ofBeta + at) + gradient);
  }
}

function sumScaled(bytes: usize, dy: usize, normal: usize, gamma: usize): void {
  sum1 = 0;
  sum2 = 0;
  for (let from: usize = 0; from < bytes; from += block) {
    const end = min(bytes, from + block);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let q0 = f32x4.splat(0);
    let q1 = f32x4.splat(0);
    let at = from;
    for (; at + 32 <= end; at += 32) {
      const g0 = f32x4.mul(v128.load(dy + at), v128.load(gamma + at));
      const g1 = f32x4.mul(v128.load(dy + at, 16), v128.load(gamma + at, 16));
      s0 = f32x4.add(s0, g0);
      s1 = f32x4.add(s1, g1);
      q0 = f32x4.add(q0, f32x4.mul(g0, v128.load(normal + at)));
      q1 = f32x4.add(q1, f32x4.mul(g1, v128.load(normal + at, 16)));
    }
    sum1 += sumOfFour(s0) + sumOfFour(s1);
    sum2 += sumOfFour(q0) + sumOfFour(q1);
    for (; at < end; at += 4) {
      const g = <f64>(load<f32>(dy + at) * load<f32>(gamma + at));
      sum1 += g;
      sum2 += g * <f64>load<f32>(normal + at);
    }
  }
}

function writeGradient(
  bytes: usize,
  dy: usize,
  normal: usize,
  gamma: usize,
  mean: f32,
  along: f32,
  inverse: f32,
  dx: usize,
): void {
  const m = f32x4.splat(mean);
  const a = f32x4.splat(along);
  const i = f32x4.splat(inverse);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const g = f32x4.mul(v128.load(dy + at), v128.load(gamma + at));
    const rest = f32x4.sub(f32x4.sub(g, m), f32x4.mul(v128.load(normal + at), a));
    v128.store(dx + at, f32x4.mul(rest, i));
  }
  for (; at < bytes; at += 4) {
    const g = load<f32>(dy + at) * load<f32>(gamma + at);
    store<f32>(dx + at, (g - mean - load<f32>(normal + at) * along) * inverse);
  }
}

/** The sum of a vector's four numbers. */
function sumOfFour(sums: v128): f64 {
  const low = <f64>f32x4.extract_lane(sums, 0) + <f64>f32x4.extract_lane(sums, 1);
  return low + (<f64>f32x4.extract_lane(sums, 2) + <f64>f32x4.extract_lane(sums, 3));
}
