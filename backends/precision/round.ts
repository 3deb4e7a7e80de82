/**
 * The name of our kernel that rounds float32 numbers to fewer bits of mantissa, to nearest and ties to even, on every
 * backend: input x, attribute `bits`. A carry goes to the exponent, so that the largest numbers become infinite; a NaN
 * stays one.
 */
export const ROUND_MANTISSA = "IsobatchRoundMantissa";

export interface RoundAttributes {
  /** Bits that are kept behind the leading one, below 23. */
  readonly bits: number;
}
