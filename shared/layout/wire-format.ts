/**
 * How numbers travel. Only parameters and their micro-batches' gradients are ever bfloat16: both have been rounded where
 * they are computed with, so nothing is lost on the way. Sums of several gradients, BatchNorm's statistics and what is frozen
 * are float32 in any case.
 */
import type { Chunk } from "./layout.js";

export const WIRE_FORMATS = ["float32", "bfloat16"] as const;
export type WireFormat = (typeof WIRE_FORMATS)[number];

/** Of float32, as everything is in memory. */
export const BYTES_PER_ELEMENT = 4;

/** Whether a chunk's weights, and its micro-batches' gradients, travel as bfloat16. */
export function isPacked({ kind }: Pick<Chunk, "kind">, wire: WireFormat): boolean {
  return wire === "bfloat16" && kind === "parameter";
}

/** Bytes that a chunk's weights, or a micro-batch's gradient of it, have on the wire. */
export function wireBytes(chunk: Pick<Chunk, "kind" | "length">, wire: WireFormat): number {
  return chunk.length * (isPacked(chunk, wire) ? BYTES_PER_ELEMENT / 2 : BYTES_PER_ELEMENT);
}
