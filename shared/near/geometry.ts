/**
 * Where numbers are in the files that processes of one machine share. Both sides compute it from the layout, so neither
 * has to trust the other.
 *
 * A shard has for each segment the file `theta-SEGMENT`: the part of θ that is in its slice. A worker has
 * `slots-SEGMENT`: its slots in order, each with the S1 and S2 of the whole segment.
 */
import { BYTES_PER_ELEMENT, type Chunk, type ChunkRange, type Layout } from "../layout/index.js";

const LINE_BYTES = 64; // a cache line, so that two threads never write to the same one

/** The bytes of this many elements, rounded up to a cache line. */
export const lineAligned = (elements: number): number =>
  Math.ceil((elements * BYTES_PER_ELEMENT) / LINE_BYTES) * LINE_BYTES;

/** The part of a segment's θ that is in a slice. */
export interface ThetaPart {
  readonly segment: number;
  /** The offset of its first element in the flat vector. */
  readonly offset: number;
  readonly length: number;
  /** The offset of its first element in the segment, in bytes. */
  readonly at: number;
  readonly bytes: number;
}

export function thetaParts(layout: Layout, { firstChunk, endChunk }: ChunkRange): ThetaPart[] {
  const chunks = layout.chunks.slice(firstChunk, endChunk);
  return layout.segments.flatMap(({ index, offset: segmentOffset }) => {
    const inSegment = chunks.filter(({ segment }) => segment === index);
    if (inSegment.length === 0) return [];
    const { offset } = inSegment[0];
    const length = inSegment.reduce((sum, chunk) => sum + chunk.length, 0);
    const at = (offset - segmentOffset) * BYTES_PER_ELEMENT;
    return [{ segment: index, offset, length, at, bytes: length * BYTES_PER_ELEMENT }];
  });
}

/**
 * A slot's part in one segment: S1 of what is not frozen, then S2 of the parameters, since the tail is never squared.
 */
export interface SlotShape {
  /** The offset of the segment in the flat vector. */
  readonly offset: number;
  /** The number of elements of the segment that are trained parameters, and that are parameters or tail. */
  readonly parameters: number;
  readonly averaged: number;
  /** The offset of S2 from the slot's start, in bytes; S1 is at the start. */
  readonly s2At: number;
  readonly bytes: number;
}

export function slotShapes(layout: Layout): SlotShape[] {
  return layout.segments.map(({ offset, length }) => {
    const within = (end: number): number => Math.max(0, Math.min(offset + length, end) - offset);
    const parameters = within(layout.parameters);
    const averaged = within(layout.parameters + layout.tail);
    const s2At = lineAligned(averaged);
    return { offset, parameters, averaged, s2At, bytes: s2At + lineAligned(parameters) };
  });
}

/** Where a chunk's sums are in a slots' file, in bytes. */
export function sumsAt(shape: SlotShape, slot: number, sum: "s1" | "s2", chunk: Pick<Chunk, "offset">): number {
  return slot * shape.bytes + (sum === "s1" ? 0 : shape.s2At) + (chunk.offset - shape.offset) * BYTES_PER_ELEMENT;
}

export const thetaFile = (segment: number): string => `theta-${segment}`;
export const slotsFile = (segment: number): string => `slots-${segment}`;
