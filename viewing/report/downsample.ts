import type { Points } from "../charts/index.js";

/**
 * At most `pointsMax` (≥ 3) of the points, so chosen that the curve looks the same: from each of as many equal
 * stretches the point that makes the largest triangle with its neighbours, so peaks and bends stay (Steinarsson 2013,
 * "Downsampling Time Series for Visual Representation": largest triangle three buckets).
 */
export function downsample({ x, y }: Points, pointsMax: number): Points {
  const count = x.length;
  if (count <= pointsMax) return { x, y };
  const picked = [0];
  const stretch = (count - 2) / (pointsMax - 2);
  for (let i = 0; i < pointsMax - 2; i++) {
    const from = 1 + Math.floor(i * stretch);
    const to = 1 + Math.floor((i + 1) * stretch);
    const nextTo = Math.min(1 + Math.floor((i + 2) * stretch), count - 1);
    let [meanX, meanY] = [x[count - 1], y[count - 1]];
    if (nextTo > to) {
      [meanX, meanY] = [0, 0];
      for (let k = to; k < nextTo; k++) [meanX, meanY] = [meanX + x[k], meanY + y[k]];
      [meanX, meanY] = [meanX / (nextTo - to), meanY / (nextTo - to)];
    }
    const last = picked[picked.length - 1];
    let best = from;
    let largest = -1;
    for (let k = from; k < to; k++) {
      const area = Math.abs((x[last] - meanX) * (y[k] - y[last]) - (x[last] - x[k]) * (meanY - y[last]));
      if (area > largest) [best, largest] = [k, area];
    }
    picked.push(best);
  }
  picked.push(count - 1);
  return { x: picked.map((k) => x[k]), y: picked.map((k) => y[k]) };
}
