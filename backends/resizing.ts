/** The attributes of tfjs's resizing kernels. */
export interface ResizeAttributes {
  alignCorners: boolean;
  halfPixelCenters?: boolean;
}

/**
 * The point of x (batch, height, width, channels) that each point of y, an image of another size, copies when x is
 * resized to the nearest neighbour. Both are numbered from 0 over all images; the rule is that of tfjs's forward
 * kernel.
 */
export function nearestPoints(x: number[], y: number[], attrs: ResizeAttributes): Int32Array {
  const [batch, height, width] = x;
  const rows = sources(height, y[1], attrs);
  const columns = sources(width, y[2], attrs);
  const points = new Int32Array(batch * rows.length * columns.length);
  let i = 0;
  for (let n = 0; n < batch; n++) {
    for (const row of rows) {
      for (const column of columns) points[i++] = (n * height + row) * width + column;
    }
  }
  return points;
}

/** Which of `size` inputs each of `out` outputs copies along one axis. */
function sources(size: number, out: number, { alignCorners, halfPixelCenters }: ResizeAttributes): number[] {
  const aligned = alignCorners && out > 1;
  const scale = aligned ? (size - 1) / (out - 1) : size / out;
  return Array.from({ length: out }, (_, i) => {
    const from = halfPixelCenters ? scale * (i + 0.5) : scale * i;
    const nearest = Math.min(size - 1, alignCorners ? Math.round(from) : Math.floor(from));
    return halfPixelCenters ? Math.max(0, nearest) : nearest;
  });
}
