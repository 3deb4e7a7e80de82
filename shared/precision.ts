/**
 * How matrix products and convolutions are computed, forward and in both gradients: their factors are rounded to so many
 * bits of mantissa, to nearest and ties to even, and what they multiply to is added in float32. All else is float32.
 */
export const PRECISIONS = ["float32", "tf32", "bfloat16"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** The bits of a factor's mantissa, not counting the leading one; undefined: all that float32 has. */
export const MANTISSA_BITS: Readonly<Record<Precision, number | undefined>> = {
  float32: undefined,
  tf32: 10,
  bfloat16: 7,
};

/** The flags of a numerics class when its products are computed in this precision. */
export function flagsIn(precision: Precision, flags: string): string {
  return precision === "float32" ? flags : [flags, `${precision} products`].filter((flag) => flag !== "").join(", ");
}
