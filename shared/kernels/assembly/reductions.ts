/**
 * Reductions. A float64 sum is over blocks of 4,096 elements, added in order; within a block, element i goes to
 * accumulator i mod 8 (four vectors of two, so that additions overlap), and the eight are combined as
 * ((a0+a4)+(a2+a6)) + ((a1+a5)+(a3+a7)). An incomplete eight is filled with +0, which changes no accumulator's bits.
 */

const VECTOR: usize = 16;
const EIGHT: usize = 2 * VECTOR;
const ELEMENT: usize = 4;
const BLOCK: usize = 4096 * ELEMENT;

export function allFinite(offset: usize, length: usize): bool {
  const exponent = i32x4.splat(0x7f800000);
  let bad = i32x4.splat(0);
  const end = offset + length * ELEMENT;
  for (; offset + VECTOR <= end; offset += VECTOR) {
    bad = v128.or(bad, i32x4.eq(v128.and(v128.load(offset), exponent), exponent));
  }
  bad = v128.or(bad, i32x4.eq(v128.and(loadUpTo(offset, end), exponent), exponent));
  return !v128.any_true(bad);
}

export function squaredNorm(offset: usize, length: usize): f64 {
  let total: f64 = 0;
  const end = offset + length * ELEMENT;
  while (offset < end) {
    const block = min(end, offset + BLOCK);
    let a01 = f64x2.splat(0);
    let a23 = a01;
    let a45 = a01;
    let a67 = a01;
    for (; offset < block; offset += EIGHT) {
      const low = loadUpTo(offset, block);
      const high = loadUpTo(offset + VECTOR, block);
      a01 = f64x2.add(a01, square(f64x2.promote_low_f32x4(low)));
      a23 = f64x2.add(a23, square(f64x2.promote_low_f32x4(upperHalf(low))));
      a45 = f64x2.add(a45, square(f64x2.promote_low_f32x4(high)));
      a67 = f64x2.add(a67, square(f64x2.promote_low_f32x4(upperHalf(high))));
    }
    total += combined(a01, a23, a45, a67);
    offset = block;
  }
  return total;
}

export function sum(offset: usize, length: usize): f64 {
  let total: f64 = 0;
  const end = offset + length * ELEMENT;
  while (offset < end) {
    const block = min(end, offset + BLOCK);
    let a01 = f64x2.splat(0);
    let a23 = a01;
    let a45 = a01;
    let a67 = a01;
    for (; offset < block; offset += EIGHT) {
      const low = loadUpTo(offset, block);
      const high = loadUpTo(offset + VECTOR, block);
      a01 = f64x2.add(a01, f64x2.promote_low_f32x4(low));
      a23 = f64x2.add(a23, f64x2.promote_low_f32x4(upperHalf(low)));
      a45 = f64x2.add(a45, f64x2.promote_low_f32x4(high));
      a67 = f64x2.add(a67, f64x2.promote_low_f32x4(upperHalf(high)));
    }
    total += combined(a01, a23, a45, a67);
    offset = block;
  }
  return total;
}

/** The vector at `offset`, its elements from `end` on replaced by +0. */
function loadUpTo(offset: usize, end: usize): v128 {
  return offset + VECTOR <= end ? v128.load(offset) : loadRest(offset, end);
}

function loadRest(offset: usize, end: usize): v128 {
  if (offset >= end) return i32x4.splat(0);
  const count = (end - offset) / ELEMENT;
  if (count === 1) return v128.load32_zero(offset);
  const two = v128.load64_zero(offset);
  return count === 2 ? two : v128.load32_lane(offset + 2 * ELEMENT, two, 2);
}

function square(x: v128): v128 {
  return f64x2.mul(x, x);
}

function upperHalf(x: v128): v128 {
  return i32x4.shuffle(x, x, 2, 3, 2, 3);
}

function combined(a01: v128, a23: v128, a45: v128, a67: v128): f64 {
  const pair = f64x2.add(f64x2.add(a01, a45), f64x2.add(a23, a67));
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}
