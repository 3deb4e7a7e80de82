/**
 * Moving and adding short rows of floats. The pieces have some hundred bytes, for which an inline loop is faster than a
 * call of memory.copy or memory.fill.
 */

export function zeroRow(to: usize, bytes: usize): void {
  fillRow(to, 0, bytes);
}

export function fillRow(to: usize, value: f32, bytes: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(to + at, f32x4.splat(value));
  for (; at < bytes; at += 4) store<f32>(to + at, value);
}

export function copyRow(to: usize, from: usize, bytes: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(to + at, v128.load(from + at));
  for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
}

export function addRow(to: usize, from: usize, bytes: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)));
  for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at));
}

/**
 * out (segments × width) = for each segment the sum of the rows of x (count × width) whose id it is. Ids outside
 * [0, segments) are dropped.
 */
export function segmentSums(count: i32, width: i32, segments: i32, x: usize, ids: usize, out: usize): void {
  const bytes = (<usize>width) << 2;
  memory.fill(out, 0, <usize>segments * bytes);
  for (let i = 0; i < count; i++) {
    const id = load<i32>(ids + ((<usize>i) << 2));
    if (id >= 0 && id < segments) addRow(out + <usize>id * bytes, x + <usize>i * bytes, bytes);
  }
}

/** Rows added up before their sum joins the total: rounding errors grow with this and with rows over this. */
const rowBlock: i32 = 256;

/** out (columns) = the sums of the columns of x (rows × columns). */
export function columnSums(rows: i32, columns: i32, x: usize, out: usize): void {
  const rowBytes = (<usize>columns) << 2;
  memory.fill(out, 0, rowBytes);
  for (let row = 0; row < rows; row += rowBlock) {
    const height = min(rowBlock, rows - row);
    const block = x + <usize>row * rowBytes;
    let at: usize = 0;
    for (; at + 64 <= rowBytes; at += 64) columnSums16(height, block + at, rowBytes, out + at);
    for (; at + 16 <= rowBytes; at += 16) {
      let sum = f32x4.splat(0);
      let from = block + at;
      for (let i = 0; i < height; i++, from += rowBytes) sum = f32x4.add(sum, v128.load(from));
      v128.store(out + at, f32x4.add(v128.load(out + at), sum));
    }
    for (; at < rowBytes; at += 4) {
      let sum: f32 = 0;
      let from = block + at;
      for (let i = 0; i < height; i++, from += rowBytes) sum += load<f32>(from);
      store<f32>(out + at, load<f32>(out + at) + sum);
    }
  }
}

function columnSums16(rows: i32, from: usize, rowBytes: usize, out: usize): void {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  for (; rows > 0; rows--, from += rowBytes) {
    s0 = f32x4.add(s0, v128.load(from));
    s1 = f32x4.add(s1, v128.load(from, 16));
    s2 = f32x4.add(s2, v128.load(from, 32));
    s3 = f32x4.add(s3, v128.load(from, 48));
  }
  v128.store(out, f32x4.add(v128.load(out), s0));
  v128.store(out, f32x4.add(v128.load(out, 16), s1), 16);
  v128.store(out, f32x4.add(v128.load(out, 32), s2), 32);
  v128.store(out, f32x4.add(v128.load(out, 48), s3), 48);
}

/** dx = dy where y > 0, else 0; where y is NaN, dx = dy, so that a broken run is noticed. All `count` long. */
export function reluGradient(count: i32, dy: usize, y: usize, dx: usize): void {
  const bytes = (<usize>count) << 2;
  const zero = f32x4.splat(0);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    v128.store(dx + at, v128.andnot(v128.load(dy + at), f32x4.le(v128.load(y + at), zero)));
  }
  for (; at < bytes; at += 4) store<f32>(dx + at, load<f32>(y + at) <= 0 ? 0 : load<f32>(dy + at));
}

/** Fills out (rows × columns) with the row `values`. */
export function repeatRow(rows: i32, columns: i32, values: usize, out: usize): void {
  const bytes = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++, out += bytes) copyRow(out, values, bytes);
}

/** out = each of the `blocks` blocks of x, of `bytes` bytes, `copies` times in a row. */
export function repeatBlocks(blocks: i32, copies: i32, bytes: usize, x: usize, out: usize): void {
  for (let block = 0; block < blocks; block++, x += bytes) {
    if (bytes === 4) {
      fillRow(out, load<f32>(x), (<usize>copies) << 2);
      out += (<usize>copies) << 2;
      continue;
    }
    for (let copy = 0; copy < copies; copy++, out += bytes) copyRow(out, x, bytes);
  }
}

/**
 * out = the blocks of x, of `bytes` bytes, in the order of four nested loops, of n0, n1, n2 and n3 rounds, in each of
 * which the block is s0, s1, s2 or s3 bytes after that of the round before.
 */
export function copyBlocks(
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  s0: usize,
  s1: usize,
  s2: usize,
  s3: usize,
  bytes: usize,
  x: usize,
  out: usize,
): void {
  for (let i0 = 0; i0 < n0; i0++, x += s0) {
    let x1 = x;
    for (let i1 = 0; i1 < n1; i1++, x1 += s1) {
      let x2 = x1;
      for (let i2 = 0; i2 < n2; i2++, x2 += s2) {
        let x3 = x2;
        for (let i3 = 0; i3 < n3; i3++, x3 += s3, out += bytes) copyRow(out, x3, bytes);
      }
    }
  }
}
