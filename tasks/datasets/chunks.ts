import { type DecodedBatch, decodeBatch } from "../decode-batch.js";
import type { Dataset } from "./dataset.js";

/** How many numbers of the inputs are decoded at a time. */
const CHUNK_NUMBERS = 1 << 20;

export interface DecodedChunk extends DecodedBatch {
  /** The number of its first sample. */
  readonly first: number;
  readonly samples: number;
}

/** A part of the data as a model is given it, some samples at a time. */
export function* chunksOf(part: Dataset): Generator<DecodedChunk> {
  const width = part.input.shape.reduce((product, size) => product * size, 1);
  const atOnce = Math.max(1, Math.floor(CHUNK_NUMBERS / width));
  for (let first = 0; first < part.samples; first += atOnce) {
    const samples = Math.min(atOnce, part.samples - first);
    const { inputs, labels } = part.read(Uint32Array.from({ length: samples }, (_, i) => first + i));
    yield { ...decodeBatch(part, inputs, labels, samples), first, samples };
  }
}
