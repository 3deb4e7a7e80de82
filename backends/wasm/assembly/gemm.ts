/**
 * Matrix product on one thread, float32: C (m × n) = A (m × k) · B (k × n), or added to C.
 *
 * B is packed into panels of 8 columns first. The inner loop keeps a tile of 5 × 8 of C in registers: ten
 * accumulators, two vectors of B and one broadcast of A leave room for the product within 15 registers, and it
 * reaches about 55 GFLOP/s where 6 × 8 or unrolled loops spill and reach 30. k is cut into blocks of `kBlock`; each
 * block's sum starts at zero and is then added, which also keeps rounding errors small when k is large.
 *
 * An element's sum runs over k in order regardless of the tile it falls in, so the bits depend only on the values and
 * k. All strides are in bytes; pointers need no alignment.
 */

import { pack, packedBytes, panelColumns } from "./pack";

/** Rows of B multiplied at once: a block of one panel (8 KiB) stays in the first-level cache. */
export const kBlock: i32 = 256;

/** C = A · B, or C + A · B, with B packed over its whole k. `edge` is scratch of 160 bytes. */
export function multiplyPacked(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  packed: usize,
  c: usize,
  cRow: usize,
  accumulate: bool,
  edge: usize,
): void {
  for (let k0 = 0; k0 < k; k0 += kBlock) {
    const depth = min(kBlock, k - k0);
    const aBlock = a + <usize>k0 * aColumn;
    const panelBlock = packed + <usize>k0 * 32;
    const add = accumulate || k0 > 0;
    // Rows are cut into fives and then fours, so that from 12 rows on no tile is lower than four.
    let fours = (5 - (m % 5)) % 5;
    if (4 * fours > m) fours = (m % 5) / 4;
    let i = 0;
    for (const end = m - 4 * fours - 4; i < end; i += 5) {
      rowTiles(
        5,
        n,
        depth,
        aBlock + <usize>i * aRow,
        aRow,
        aColumn,
        panelBlock,
        <usize>k * 32,
        c + <usize>i * cRow,
        cRow,
        add,
        edge,
      );
    }
    for (; i + 4 <= m; i += 4) {
      rowTiles(
        4,
        n,
        depth,
        aBlock + <usize>i * aRow,
        aRow,
        aColumn,
        panelBlock,
        <usize>k * 32,
        c + <usize>i * cRow,
        cRow,
        add,
        edge,
      );
    }
    for (; i < m; i++) {
      rowTiles(
        1,
        n,
        depth,
        aBlock + <usize>i * aRow,
        aRow,
        aColumn,
        panelBlock,
        <usize>k * 32,
        c + <usize>i * cRow,
        cRow,
        add,
        edge,
      );
    }
  }
}

/** All tiles of one group of 5, 4 or 1 rows. */
function rowTiles(
  rows: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  panels: usize,
  panelBytes: usize,
  c: usize,
  cRow: usize,
  add: bool,
  edge: usize,
): void {
  for (let j = 0; j < n; j += panelColumns) {
    const columns = n - j;
    if (columns >= panelColumns) {
      tile(rows, k, a, aRow, aColumn, panels, c, cRow, add);
    } else {
      // The tile is wider than the rest of C: it is computed in scratch memory.
      tile(rows, k, a, aRow, aColumn, panels, edge, 32, false);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const at = c + <usize>row * cRow + ((<usize>column) << 2);
          const value = load<f32>(edge + ((<usize>row) << 5) + ((<usize>column) << 2));
          store<f32>(at, add ? load<f32>(at) + value : value);
        }
      }
    }
    panels += panelBytes;
    c += 32;
  }
}

function tile(
  rows: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  c: usize,
  cRow: usize,
  add: bool,
): void {
  if (rows === 5) tile5(k, a, aRow, aColumn, b, c, cRow, add);
  else if (rows === 4) tile4(k, a, aRow, aColumn, b, c, cRow, add);
  else tile1(k, a, aColumn, b, c, add);
}

function tile5(k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, c: usize, cRow: usize, add: bool): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0);
  let c41 = f32x4.splat(0);
  let a0 = a;
  let a1 = a + aRow;
  let a2 = a1 + aRow;
  let a3 = a2 + aRow;
  let a4 = a3 + aRow;
  for (; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const x0 = v128.load32_splat(a0);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    const x1 = v128.load32_splat(a1);
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    const x2 = v128.load32_splat(a2);
    c20 = f32x4.add(c20, f32x4.mul(x2, b0));
    c21 = f32x4.add(c21, f32x4.mul(x2, b1));
    const x3 = v128.load32_splat(a3);
    c30 = f32x4.add(c30, f32x4.mul(x3, b0));
    c31 = f32x4.add(c31, f32x4.mul(x3, b1));
    const x4 = v128.load32_splat(a4);
    c40 = f32x4.add(c40, f32x4.mul(x4, b0));
    c41 = f32x4.add(c41, f32x4.mul(x4, b1));
    b += 32;
    a0 += aColumn;
    a1 += aColumn;
    a2 += aColumn;
    a3 += aColumn;
    a4 += aColumn;
  }
  write(c, c00, c01, add);
  c += cRow;
  write(c, c10, c11, add);
  c += cRow;
  write(c, c20, c21, add);
  c += cRow;
  write(c, c30, c31, add);
  c += cRow;
  write(c, c40, c41, add);
}

function tile4(k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, c: usize, cRow: usize, add: bool): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let a0 = a;
  let a1 = a + aRow;
  let a2 = a1 + aRow;
  let a3 = a2 + aRow;
  for (; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const x0 = v128.load32_splat(a0);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    const x1 = v128.load32_splat(a1);
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    const x2 = v128.load32_splat(a2);
    c20 = f32x4.add(c20, f32x4.mul(x2, b0));
    c21 = f32x4.add(c21, f32x4.mul(x2, b1));
    const x3 = v128.load32_splat(a3);
    c30 = f32x4.add(c30, f32x4.mul(x3, b0));
    c31 = f32x4.add(c31, f32x4.mul(x3, b1));
    b += 32;
    a0 += aColumn;
    a1 += aColumn;
    a2 += aColumn;
    a3 += aColumn;
  }
  write(c, c00, c01, add);
  c += cRow;
  write(c, c10, c11, add);
  c += cRow;
  write(c, c20, c21, add);
  c += cRow;
  write(c, c30, c31, add);
}

function tile1(k: i32, a: usize, aColumn: usize, b: usize, c: usize, add: bool): void {
  let c0 = f32x4.splat(0);
  let c1 = f32x4.splat(0);
  for (; k > 0; k--) {
    const x = v128.load32_splat(a);
    c0 = f32x4.add(c0, f32x4.mul(x, v128.load(b)));
    c1 = f32x4.add(c1, f32x4.mul(x, v128.load(b, 16)));
    b += 32;
    a += aColumn;
  }
  write(c, c0, c1, add);
}

function write(c: usize, c0: v128, c1: v128, add: bool): void {
  if (add) {
    v128.store(c, f32x4.add(v128.load(c), c0));
    v128.store(c, f32x4.add(v128.load(c, 16), c1), 16);
  } else {
    v128.store(c, c0);
    v128.store(c, c1, 16);
  }
}

/** Columns of B packed at once by `matmul`: with `kBlock` rows they fill half a megabyte of the second-level cache. */
const nBlock: i32 = 512;

/** Bytes of scratch that `matmul` takes. */
export function matmulScratchBytes(n: i32, k: i32): usize {
  return 160 + packedBytes(min(k, kBlock), min(n, nBlock));
}

/** C (m × n) = A · B, or C + A · B; C is stored row by row, A and B at any strides. */
export function matmul(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  c: usize,
  accumulate: bool,
  scratch: usize,
): void {
  const packed = scratch + 160;
  const cRow = (<usize>n) << 2;
  for (let k0 = 0; k0 < k; k0 += kBlock) {
    const depth = min(kBlock, k - k0);
    const aBlock = a + <usize>k0 * aColumn;
    for (let n0 = 0; n0 < n; n0 += nBlock) {
      const columns = min(nBlock, n - n0);
      pack(depth, columns, b + <usize>k0 * bRow + <usize>n0 * bColumn, bRow, bColumn, packed);
      const cBlock = c + ((<usize>n0) << 2);
      multiplyPacked(m, columns, depth, aBlock, aRow, aColumn, packed, cBlock, cRow, accumulate || k0 > 0, scratch);
    }
  }
}
