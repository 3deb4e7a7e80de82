/**
 * A gradient as the vectors in which a program keeps it: each segment's parameters, then its tail, in the order of the
 * layout. Each vector has one place in the shared memories.
 */

import type { GradientForm, HostVectors, VectorForm } from "../../backends/index.js";
import type { LayoutTensor } from "../../shared/layout/index.js";
import type { Task } from "../../tasks/index.js";
import { type Addresses, type MemoryPlan, type SharedMemory, viewElements } from "../memory.js";

interface Vector {
  readonly segment: number;
  /** Where it starts in the flat vector, in elements. */
  readonly offset: number;
  readonly length: number;
  readonly trained: boolean;
}

function vectorsOf({ segments }: MemoryPlan): Vector[] {
  return segments
    .flatMap(({ offset, parameters, averaged }, segment) => [
      { segment, offset, length: parameters, trained: true },
      { segment, offset: offset + parameters, length: averaged - parameters, trained: false },
    ])
    .filter(({ length }) => length > 0);
}

/** @param results the tensors of a program's outputs after the loss: every parameter, and every tensor of the tail */
export function gradientForm(
  plan: MemoryPlan,
  results: readonly LayoutTensor[],
  { clipNorm, wire }: Pick<Task, "clipNorm" | "wire">,
): GradientForm {
  const vectors = vectorsOf(plan).map(({ offset, length, trained }): VectorForm => {
    const pieces = results.flatMap((tensor, i) => {
      const first = Math.max(tensor.offset, offset);
      const end = Math.min(tensor.offset + tensor.length, offset + length);
      return first < end ? [{ output: 1 + i, from: first - tensor.offset, length: end - first }] : [];
    });
    return { pieces, trained };
  });
  return { loss: 0, vectors, clipNorm, bfloat16: wire === "bfloat16" };
}

/** Views of the vectors of a gradient or of sums at `addresses`; S2 has only the trained ones. */
export function hostVectors(
  memory: Pick<SharedMemory, "plan" | "memories">,
  addresses: Addresses,
  sum: "s1" | "s2" = "s1",
): HostVectors {
  return vectorsOf(memory.plan)
    .filter(({ trained }) => trained || sum === "s1")
    .map(({ segment, offset, length }) => viewElements(memory, addresses, segment, offset, length));
}
