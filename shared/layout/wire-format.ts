/**
 * The form in which numbers are sent. Only parameters and single micro-batches' gradients are ever bfloat16: both are
 * rounded before they are used in any computation, so sending them loses nothing. Sums of several gradients,
 * BatchNorm's statistics and frozen weights are always float32.
 */
import type { Chunk } from "./layout.js";

export const WIRE_FORMATS = ["float32", "bfloat16"] as const;
export type WireFormat = (typeof WIRE_FORMATS)[number];

/** The size of a float32, which all numbers in memory are. */
export const BYTES_PER_ELEMENT = 4;

/** Whether a chunk's weights, and its micro-batches' gradients, are sent as bfloat16. */
export function isPacked({ kind }: Pick<Chunk, "kind">, wire: WireFormat): boolean {
  return wire === "bfloat16" && kind === "parameter";
}

/** The number of bytes of a chunk's weights, or of a micro-batch's gradient for it, on the wire. */
export function wireBytes(chunk: Pick<Chunk, "kind" | "length">, wire: WireFormat): number {
  return chunk.length * (isPacked(chunk, wire) ? BYTES_PER_ELEMENT / 2 : BYTES_PER_ELEMENT);
}
