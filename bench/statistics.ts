/** The median of the values, to three digits. */
export function median(values: readonly number[]): number {
  return threeDigits(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]);
}

/** The smallest of the values, to three digits. */
export function fastest(values: readonly number[]): number {
  return threeDigits(Math.min(...values));
}

export { mean } from "../experiment/invariance/gap.js";

export const threeDigits = (value: number): number => Number(value.toPrecision(3));
