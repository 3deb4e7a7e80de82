import { createKernelMemory } from "../../../shared/kernels/index.js";
import { BYTES_PER_ELEMENT, type Chunk, type Layout, tensorParts } from "../../../shared/layout/index.js";
import { PAGE_BYTES, wholePages } from "../../../shared/near/index.js";

/**
 * The memory of one segment of a slice:
 *
 *     θ │ m │ v │ regions …
 *
 * A region is a buffer for the sums of one chunk, a thread's scratch, or the place where a worker's sums are mapped. θ
 * starts at 0 and occupies whole pages of 64 KiB, so that a file can be mapped in its place.
 */
export interface SliceSegment extends SegmentAddresses {
  readonly index: number;
  /** The first element's index in the flat vector. */
  readonly offset: number;
  readonly length: number;
  readonly parameters: number;
  readonly regions: Regions;
}

/** The layout of a segment's memory, for threads; addresses in bytes. */
export interface SegmentAddresses {
  readonly memory: WebAssembly.Memory;
  readonly m: number;
  readonly v: number;
  /** The distance from S1 to S2 in a buffer for sums. */
  readonly sumBytes: number;
}

/** The place of a chunk in the slice's memory. */
export interface ChunkPlace {
  /** The index among the slice's segments. */
  readonly segment: number;
  readonly length: number;
  /** Whether it has S2. */
  readonly trained: boolean;
  readonly parts: readonly TensorPlace[];
}

/** A run of elements of one chunk that are updated in the same way. */
export interface TensorPlace {
  /** The first element, from the start of the chunk, and their number. */
  readonly from: number;
  readonly length: number;
  /** The address of its weights. */
  readonly theta: number;
  readonly decays: boolean;
  /** The share of the old value that one micro-batch keeps, in the tail. */
  readonly momentum: number;
}

const roundUp = (bytes: number, to: number): number => Math.ceil(bytes / to) * to;

export function createSegment(layout: Layout, index: number, chunks: readonly Chunk[]): SliceSegment {
  const { offset } = chunks[0];
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const parameters = Math.max(0, Math.min(offset + length, layout.parameters) - offset);
  const momentBytes = roundUp(parameters * BYTES_PER_ELEMENT, 64);
  const m = wholePages(length * BYTES_PER_ELEMENT);
  const v = m + momentBytes;
  const memory = createKernelMemory(v + momentBytes);
  const sumBytes = roundUp(Math.max(...chunks.map((chunk) => chunk.length)) * BYTES_PER_ELEMENT, 64);
  const regions = createRegions(memory, v + momentBytes);
  return { index, memory, offset, length, parameters, m, v, sumBytes, regions };
}

export function placeOf(layout: Layout, chunk: Chunk, segment: number, segmentOffset: number): ChunkPlace {
  const parts = tensorParts(layout, chunk.offset, chunk.length).map(({ tensor, offset, from, to }) => ({
    from: offset - chunk.offset,
    length: to - from,
    theta: (offset - segmentOffset) * BYTES_PER_ELEMENT,
    decays: tensor.decay,
    momentum: tensor.momentum ?? 0,
  }));
  return { segment, length: chunk.length, trained: chunk.kind === "parameter", parts };
}

/** Allocates the rest of a memory, which grows as needed. */
export interface Regions {
  /** Allocates `bytes`. @returns their address, a multiple of `alignment` */
  take(bytes: number, alignment?: number): number;
  /** Gives back a region that was taken with the same arguments. */
  give(at: number, bytes: number, alignment?: number): void;
}

function createRegions(memory: WebAssembly.Memory, start: number): Regions {
  let end = start;
  const free = new Map<string, number[]>();
  const keyOf = (bytes: number, alignment: number): string => `${bytes}/${alignment}`;
  return {
    take(bytes, alignment = 64) {
      const returned = free.get(keyOf(bytes, alignment))?.pop();
      if (returned !== undefined) return returned;
      const at = roundUp(end, alignment);
      const missing = at + bytes - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
      end = at + bytes;
      return at;
    },
    give(at, bytes, alignment = 64) {
      const key = keyOf(bytes, alignment);
      const list = free.get(key);
      if (list === undefined) free.set(key, [at]);
      else list.push(at);
    },
  };
}
