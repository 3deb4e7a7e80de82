/** bfloat16 is the upper half of a float32. Numbers are rounded to nearest, ties to even; a NaN stays one. */

const VECTOR: usize = 16;
const ELEMENT: usize = 4;
const HALF: usize = 2;

export function roundBfloat16(source: usize, target: usize, length: usize): void {
  const end = source + length * ELEMENT;
  for (; source + VECTOR <= end; source += VECTOR, target += VECTOR) {
    v128.store(target, rounded(v128.load(source)));
  }
  for (; source < end; source += ELEMENT, target += ELEMENT) {
    v128.store32_lane(target, rounded(v128.load32_zero(source)), 0);
  }
}

export function packBfloat16(source: usize, target: usize, length: usize): void {
  const end = source + length * ELEMENT;
  for (; source + 2 * VECTOR <= end; source += 2 * VECTOR, target += VECTOR) {
    const low = rounded(v128.load(source));
    const high = rounded(v128.load(source + VECTOR));
    v128.store(target, i16x8.shuffle(low, high, 1, 3, 5, 7, 9, 11, 13, 15));
  }
  for (; source < end; source += ELEMENT, target += HALF) {
    v128.store16_lane(target, rounded(v128.load32_zero(source)), 1);
  }
}

export function unpackBfloat16(source: usize, target: usize, length: usize): void {
  const zero = i16x8.splat(0);
  const end = target + length * ELEMENT;
  for (; target + 2 * VECTOR <= end; source += VECTOR, target += 2 * VECTOR) {
    const packed = v128.load(source);
    v128.store(target, i16x8.shuffle(zero, packed, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(target + VECTOR, i16x8.shuffle(zero, packed, 4, 12, 5, 13, 6, 14, 7, 15));
  }
  for (; target < end; source += HALF, target += ELEMENT) store<u32>(target, (<u32>load<u16>(source)) << 16);
}

/** Adds just under half of the last place that is kept, and all of it if that is odd; a carry goes to the exponent. */
function rounded(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const up = i32x4.add(x, i32x4.add(odd, i32x4.splat(0x7fff)));
  // A NaN's carry could reach its sign, or make it infinite.
  const nan = f32x4.ne(x, x);
  const quiet = v128.or(x, i32x4.splat(0x00400000));
  return v128.and(v128.bitselect(quiet, up, nan), i32x4.splat(<i32>0xffff0000));
}
