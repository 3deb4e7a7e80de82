/**
 * Packing the right factor B (k × n) of a matrix product into panels of 8 columns, [n / 8][k][8], so that the inner
 * loop reads it in order. The last panel is padded with zeros.
 */

/** Columns in a panel of packed B. */
export const panelColumns: i32 = 8;

/** Bytes that packing a k × n matrix takes. */
export function packedBytes(k: i32, n: i32): usize {
  const panels = (n + panelColumns - 1) / panelColumns;
  return <usize>panels * <usize>k * 32;
}

/** Packs B (k × n) into `packed`. The strides show whether B is stored as it is or transposed. */
export function pack(k: i32, n: i32, b: usize, bRow: usize, bColumn: usize, packed: usize): void {
  let to = packed;
  for (let j = 0; j < n; j += panelColumns) {
    const columns = min(panelColumns, n - j);
    const from = b + <usize>j * bColumn;
    if (columns === panelColumns && bColumn === 4) {
      to = packRows(k, from, bRow, to);
    } else if (columns === panelColumns && bRow === 4) {
      to = packTransposed(k, from, bColumn, to);
    } else {
      for (let row = 0; row < k; row++) {
        const source = from + <usize>row * bRow;
        for (let column = 0; column < panelColumns; column++) {
          const value: f32 = column < columns ? load<f32>(source + <usize>column * bColumn) : 0;
          store<f32>(to + ((<usize>column) << 2), value);
        }
        to += 32;
      }
    }
  }
}

function packRows(k: i32, from: usize, bRow: usize, to: usize): usize {
  for (let row = 0; row < k; row++) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    from += bRow;
    to += 32;
  }
  return to;
}

function packTransposed(k: i32, from: usize, bColumn: usize, to: usize): usize {
  let row = 0;
  for (; row + 4 <= k; row += 4) {
    transpose4(from, bColumn, to);
    transpose4(from + 4 * bColumn, bColumn, to + 16);
    from += 16;
    to += 128;
  }
  for (; row < k; row++) {
    for (let column: usize = 0; column < 8; column++) {
      store<f32>(to + (column << 2), load<f32>(from + column * bColumn));
    }
    from += 4;
    to += 32;
  }
  return to;
}

/** Writes the 4 × 4 floats at `from`, whose rows are `stride` bytes apart, transposed and with rows 32 bytes apart. */
function transpose4(from: usize, stride: usize, to: usize): void {
  const r0 = v128.load(from);
  const r1 = v128.load(from + stride);
  const r2 = v128.load(from + 2 * stride);
  const r3 = v128.load(from + 3 * stride);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), 32);
  v128.store(to, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 64);
  v128.store(to, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), 96);
}
