/** A curve: as many x as y, x ascending, all finite. */
export interface Points {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/**
 * A moving average that looks about `length` points back and as many ahead, so that it is in the middle of the
 * curve and does not lag behind it.
 */
export function smooth({ x, y }: Points, length: number): Points {
  const rate = 1 / Math.max(1, length);
  /** Sums of the values up to each, older ones weighing less, next to the weight that each sum contains. */
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
