/**
 * A whole training state, θ, m and v, in the memories that a worker has only for θ and sums: the moments occupy a separate
 * slot, m in the place of S1 and v in that of S2.
 */

import { type MemoryPlan, type SharedMemory, sumAddresses, viewElements, weightsAddresses } from "../compute/index.js";
import type { Coefficients } from "../shared/optimizer/index.js";

type Addresses = readonly number[];

/** The elements [0, length) of a vector, copied out of its segments. */
export function readVector(memory: SharedMemory, from: Addresses, length: number): Float32Array {
  const values = new Float32Array(length);
  for (const { segment, at, elements } of pieces(memory.plan, length)) {
    values.set(viewElements(memory, from, segment, at, elements), at);
  }
  return values;
}

/** @param values the first `values.length` elements of the vector at `to` */
export function writeVector(memory: SharedMemory, to: Addresses, values: Float32Array): void {
  for (const { segment, at, elements } of pieces(memory.plan, values.length)) {
    viewElements(memory, to, segment, at, elements).set(values.subarray(at, at + elements));
  }
}

/**
 * One step of the optimizer on θ and the moments, from the sums of the step's κ micro-batches in slot `sums`; the
 * tail is averaged instead.
 */
export function applyStep(
  { plan, kernels }: SharedMemory,
  moments: number,
  sums: number,
  microBatches: number,
  coefficients: Coefficients,
): void {
  const theta = weightsAddresses(plan);
  const [m, v] = [sumAddresses(plan, moments, "s1"), sumAddresses(plan, moments, "s2")];
  const [s1, s2] = [sumAddresses(plan, sums, "s1"), sumAddresses(plan, sums, "s2")];
  for (const tensor of plan.layout.tensors) {
    if (tensor.kind === "frozen") continue;
    for (const { segment, at, elements } of pieces(plan, tensor.offset + tensor.length, tensor.offset)) {
      const kernel = kernels[segment];
      const [w, m1, v1, sum1, sum2] = [theta, m, v, s1, s2].map(
        (addresses) => addresses[segment] + (at - plan.segments[segment].offset) * Float32Array.BYTES_PER_ELEMENT,
      );
      if (tensor.kind === "parameter") {
        kernel.adam(w, m1, v1, sum1, sum2, elements, tensor.decay ? coefficients : { ...coefficients, decay: 0 });
      } else {
        const keep = tensor.momentum! ** microBatches;
        kernel.average(w, sum1, elements, keep, (1 - keep) / microBatches);
      }
    }
  }
}

/** |S1|² and Σ S2 over the parameters of the sums in slot `sums`, in float64. */
export function normsOf({ plan, kernels }: SharedMemory, sums: number): { squaredNorm1: number; sum2: number } {
  const [s1, s2] = [sumAddresses(plan, sums, "s1"), sumAddresses(plan, sums, "s2")];
  let [squaredNorm1, sum2] = [0, 0];
  for (const [i, { parameters }] of plan.segments.entries()) {
    squaredNorm1 += kernels[i].squaredNorm(s1[i], parameters);
    sum2 += kernels[i].sum(s2[i], parameters);
  }
  return { squaredNorm1, sum2 };
}

/** The elements [from, to) of a vector, cut at the segments' borders. */
function pieces(plan: MemoryPlan, to: number, from = 0): { segment: number; at: number; elements: number }[] {
  return plan.segments.flatMap((segment, i) => {
    const at = Math.max(from, segment.offset);
    const elements = Math.min(to, segment.offset + segment.length) - at;
    return elements > 0 ? [{ segment: i, at, elements }] : [];
  });
}
