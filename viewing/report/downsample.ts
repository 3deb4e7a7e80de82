/** A curve: as many x as y, x ascending, all finite. */
export interface Points {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

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

/** Means over `stretchesMax` equal stretches, each at its last x: for values that only mean something on average. */
export function averages({ x, y }: Points, stretchesMax: number): Points {
  const count = x.length;
  if (count <= stretchesMax) return { x, y };
  const means: { x: number[]; y: number[] } = { x: [], y: [] };
  for (let i = 0; i < stretchesMax; i++) {
    const from = Math.floor((i * count) / stretchesMax);
    const to = Math.floor(((i + 1) * count) / stretchesMax);
    let sum = 0;
    for (let k = from; k < to; k++) sum += y[k];
    means.x.push(x[to - 1]);
    means.y.push(sum / (to - from));
  }
  return means;
}

/**
 * A moving average that looks about `length` points back and as many ahead, so that it lies in the middle of the
 * curve and not behind it.
 */
export function smooth({ x, y }: Points, length: number): Points {
  const rate = 1 / Math.max(1, length);
  /** Sums of the values up to each, older ones weighing less, beside the weight that each sum holds. */
  const pass = (values: readonly number[]): { sum: number; weight: number }[] => {
    let [sum, weight] = [0, 0];
    return values.map((value) => {
      sum += rate * (value - sum);
      weight += rate * (1 - weight);
      return { sum, weight };
    });
  };
  const back = pass(y);
  const ahead = pass([...y].reverse()).reverse();
  return { x, y: back.map(({ sum, weight }, i) => (sum + ahead[i].sum) / (weight + ahead[i].weight)) };
}
