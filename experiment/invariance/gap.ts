/**
 * How far a run with κ micro-batches per step is from the run with one: of the same weights, samples and order, with
 * the losses of both on the same evaluation samples after the same numbers of training samples.
 *
 *     gap = max over time of |L_κ − L_1| / L_1
 */

/** Losses over samples seen: arrays of one length, samples ascending. */
export interface LossCurve {
  readonly samples: readonly number[];
  readonly losses: readonly number[];
}

export interface Gap {
  /** max |L_κ − L_1| / L_1 */
  readonly relative: number;
  /** (L_κ − L_1) / L_1 where its size is greatest: above 0 the larger batches train slower. */
  readonly signed: number;
  /** max |L_κ − L_1| */
  readonly absolute: number;
  /** (L_κ − L_1) / L_1 at the end. */
  readonly atEnd: number;
}

/**
 * @returns undefined if the run diverged and did not reach the reference's end: its gap has no bound
 * @throws {RangeError} if the two were not evaluated after the same numbers of samples
 */
export function gapBetween(curve: LossCurve, reference: LossCurve): Gap | undefined {
  if (curve.samples.some((samples, i) => samples !== reference.samples[i])) {
    throw new RangeError("the two runs were not evaluated at the same times");
  }
  if (curve.samples.length < reference.samples.length) return undefined;
  let [signed, absolute, atEnd] = [0, 0, 0];
  for (const [i, loss] of curve.losses.entries()) {
    const difference = loss - reference.losses[i];
    atEnd = difference / reference.losses[i];
    if (Math.abs(atEnd) > Math.abs(signed)) signed = atEnd;
    absolute = Math.max(absolute, Math.abs(difference));
  }
  return { relative: Math.abs(signed), signed, absolute, atEnd };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
