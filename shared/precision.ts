/**
 * How matrix products and convolutions are computed, forward and in both gradients: their factors are rounded to
 * `MANTISSA_BITS`, to nearest with ties to even, and their products are added in float32. Everything else is float32.
 */
export const PRECISIONS = ["float32", "tf32", "bfloat16"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** The bits of a factor's mantissa, without the leading one; undefined: all bits of float32. */
export const MANTISSA_BITS: Readonly<Record<Precision, number | undefined>> = {
  float32: undefined,
  tf32: 10,
  bfloat16: 7,
};

/** The flags of a backend's numerics class, extended by the precision that products are computed in. */
export function flagsIn(precision: Precision, flags: string): string {
  return precision === "float32" ? flags : [flags, `${precision} products`].filter((flag) => flag !== "").join(", ");
}
