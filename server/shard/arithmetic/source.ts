import { BYTES_PER_ELEMENT, type Chunk, type WireFormat, wireBytes } from "../../../shared/layout/index.js";

/**
 * The place from which the sums of one chunk of a node are read: S1, then S2. A node of one leaf has its raw gradient
 * in place of S1, and neither it nor a chunk of the tail has S2.
 *
 * - `own`: a buffer of the slice, which `Slice.receive` has filled and checked. Staging keeps that very buffer.
 * - `memory`: addresses in the memory of the chunk's segment, where a worker's sums are mapped.
 * - `file`: offsets in an open file, which is read piece by piece at the moment of use.
 *
 * With `lend`, staging only notes where the sums are. They must stay there until the chunk's step is over, and are read
 * once, into private memory, when their sibling has arrived: the numbers checked are the numbers used, whatever the
 * worker writes meanwhile. Without `lend` they are copied before `Slice.perform` returns.
 */
export type SumsSource = OwnSums | MemorySums | FileSums;

export interface OwnSums {
  readonly kind: "own";
  readonly s1: number;
  readonly s2: number;
}

export interface MemorySums {
  readonly kind: "memory";
  /** In bytes. */
  readonly s1: number;
  readonly s2: number;
  readonly lend: boolean;
}

export interface FileSums {
  readonly kind: "file";
  /** The descriptor of a file that is open for reading. */
  readonly file: number;
  /** In bytes from the start of the file. */
  readonly s1: number;
  readonly s2: number;
  readonly lend: boolean;
}

/** The exact length of a chunk's pushed sums, in bytes. */
export function sumsBytes(chunk: Chunk, leaves: number, wire: WireFormat): number {
  if (chunk.kind === "parameter" && leaves > 1) return 2 * BYTES_PER_ELEMENT * chunk.length;
  return wireBytes(chunk, wire);
}
