/** Converts between a worker's float32 memories and the task's wire format. */

import type { WorkerMemory } from "../compute/index.js";
import { instantiateKernels, type Kernels } from "../shared/kernels/index.js";
import { BYTES_PER_ELEMENT, type Chunk, isPacked, type WireFormat, wireBytes } from "../shared/layout/index.js";
import type { Interval } from "../shared/sums/index.js";

export interface WireForms {
  /** The number of bytes of a chunk's weights on the wire. */
  weightsBytes(chunk: Chunk): number;
  /** Writes a chunk's weights, as they were received, to their place in θ. */
  setWeights(chunk: Chunk, bytes: Uint8Array): void;
  /**
   * What is sent for a chunk of a node: g for one leaf; for more leaves S1, then S2, which the tail lacks. The bytes
   * are in the slot, and valid as long as the caller holds it.
   */
  sums(node: Interval & { readonly slot: number }, chunk: Chunk): Buffer[];
}

export function createWireForms(memory: WorkerMemory, wire: WireFormat): WireForms {
  const kernels = new Map<number, Kernels>();
  const kernelsOf = ({ segment }: Chunk): Kernels => {
    const known = kernels.get(segment) ?? instantiateKernels(memory.memories[segment]);
    kernels.set(segment, known);
    return known;
  };

  return {
    weightsBytes: (chunk) => wireBytes(chunk, wire),

    setWeights(chunk, bytes) {
      const place = memory.weights(chunk);
      // Packed numbers are put at the end of their place, and unpacked from there over all of it.
      const at = place.length - bytes.length;
      place.set(bytes, at);
      if (!isPacked(chunk, wire)) return;
      kernelsOf(chunk).unpackBfloat16(place.byteOffset + at, place.byteOffset, chunk.length);
    },

    sums({ slot, lo, hi }, chunk) {
      const s1 = memory.sums(slot, "s1", chunk);
      if (hi - lo > 1) return chunk.kind === "tail" ? [s1] : [s1, memory.sums(slot, "s2", chunk)];
      if (!isPacked(chunk, wire)) return [s1];
      // A leaf has no S2.
      const packed = memory.sums(slot, "s2", chunk).subarray(0, s1.length / 2);
      kernelsOf(chunk).packBfloat16(s1.byteOffset, packed.byteOffset, s1.length / BYTES_PER_ELEMENT);
      return [packed];
    },
  };
}
