/** Dropout: its mask by Philox4x32-10, four blocks at once, and its product; backends/dropout.ts defines both. */

/**
 * mask (count, one byte each) = 1 where the word's lower 23 bits are below `kept`, else 0.
 *
 * Lane b of each vector belongs to block b of four. A comparison's lanes are all ones or all zeros, so byte w of
 * lane b can be that of word w, and the 16 bytes are the blocks' elements in order.
 */
export function dropoutMask(
  count: i32,
  key0: i32,
  key1: i32,
  counter2: i32,
  counter3: i32,
  kept: i32,
  mask: usize,
): void {
  const multiplier0 = i32x4.splat(0xd2511f53);
  const multiplier2 = i32x4.splat(0xcd9e8d57);
  const lowerBits = i32x4.splat(0x7fffff);
  const limit = i32x4.splat(kept);
  let blocks = i32x4(0, 1, 2, 3);
  for (let at = 0; at < count; at += 16) {
    let w0 = blocks;
    let w1 = i32x4.splat(0);
    let w2 = i32x4.splat(counter2);
    let w3 = i32x4.splat(counter3);
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < 10; round++) {
      const front0 = i64x2.extmul_low_i32x4_u(w0, multiplier0);
      const back0 = i64x2.extmul_high_i32x4_u(w0, multiplier0);
      const front2 = i64x2.extmul_low_i32x4_u(w2, multiplier2);
      const back2 = i64x2.extmul_high_i32x4_u(w2, multiplier2);
      w0 = v128.xor(v128.xor(v128.shuffle<i32>(front2, back2, 1, 3, 5, 7), w1), i32x4.splat(k0));
      w1 = v128.shuffle<i32>(front2, back2, 0, 2, 4, 6);
      w2 = v128.xor(v128.xor(v128.shuffle<i32>(front0, back0, 1, 3, 5, 7), w3), i32x4.splat(k1));
      w3 = v128.shuffle<i32>(front0, back0, 0, 2, 4, 6);
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    w0 = v128.and(i32x4.lt_s(v128.and(w0, lowerBits), limit), i32x4.splat(0x00000001));
    w1 = v128.and(i32x4.lt_s(v128.and(w1, lowerBits), limit), i32x4.splat(0x00000100));
    w2 = v128.and(i32x4.lt_s(v128.and(w2, lowerBits), limit), i32x4.splat(0x00010000));
    w3 = v128.and(i32x4.lt_s(v128.and(w3, lowerBits), limit), i32x4.splat(0x01000000));
    const bytes = v128.or(v128.or(w0, w1), v128.or(w2, w3));
    if (at + 16 <= count) v128.store(mask + <usize>at, bytes);
    else storeFirst(mask + <usize>at, bytes, count - at);
    blocks = i32x4.add(blocks, i32x4.splat(4));
  }
}

/** Stores the first `count` bytes of 16. */
function storeFirst(to: usize, bytes: v128, count: i32): void {
  for (let i = 0; i < count; i++) {
    const half = i < 8 ? i64x2.extract_lane(bytes, 0) : i64x2.extract_lane(bytes, 1);
    store<u8>(to + <usize>i, <u8>(half >> ((i & 7) << 3)));
  }
}

/** y = x · (mask ? scale : 0). All `count` long. */
export function dropout(count: i32, x: usize, mask: usize, scale: f32, y: usize): void {
  const scales = f32x4.splat(scale);
  let at: usize = 0;
  for (; at + 8 <= <usize>count; at += 8) {
    const kept = v128.load_ext<u8>(mask + at);
    const front = v128.and(i32x4.neg(i32x4.extend_low_i16x8_u(kept)), scales);
    const back = v128.and(i32x4.neg(i32x4.extend_high_i16x8_u(kept)), scales);
    v128.store(y + (at << 2), f32x4.mul(v128.load(x + (at << 2)), front));
    v128.store(y + (at << 2), f32x4.mul(v128.load(x + (at << 2), 16), back), 16);
  }
  for (; at < <usize>count; at++) {
    const factor: f32 = load<u8>(mask + at) ? scale : 0;
    store<f32>(y + (at << 2), load<f32>(x + (at << 2)) * factor);
  }
}
