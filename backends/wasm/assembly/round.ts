/** out = x rounded to `bits` bits of mantissa, to nearest, ties to even; a NaN stays one. Both `count` long. */
export function roundMantissa(count: i32, bits: i32, x: usize, out: usize): void {
  const bytes = (<usize>count) << 2;
  const cut = 23 - bits;
  const underHalf = i32x4.splat((1 << (cut - 1)) - 1);
  const kept = i32x4.splat(-1 << cut);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(out + at, rounded(v128.load(x + at), cut, underHalf, kept));
  for (; at < bytes; at += 4) {
    v128.store32_lane(out + at, rounded(v128.load32_zero(x + at), cut, underHalf, kept), 0);
  }
}

/**
 * Adds just under half a unit of the last kept place, or half a unit if that place is odd; a carry goes to the
 * exponent.
 */
function rounded(x: v128, cut: i32, underHalf: v128, kept: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, cut), i32x4.splat(1));
  const up = i32x4.add(x, i32x4.add(odd, underHalf));
  // A NaN's carry could reach its sign, or make it infinite.
  const quiet = v128.or(x, i32x4.splat(0x00400000));
  return v128.and(v128.bitselect(quiet, up, f32x4.ne(x, x)), kept);
}
