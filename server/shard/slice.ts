import type { Chunk, ChunkRange, ElementRange, Layout } from "../../shared/layout/index.js";
import { availableCores } from "../../shared/machine/index.js";
import { PAGE_BYTES } from "../../shared/near/index.js";
import type { SliceState } from "../checkpoint/index.js";
import { type ChunkPlace, createSegment, placeOf, type SliceSegment } from "./arithmetic/segment.js";
import type { OwnSums, SumsSource } from "./arithmetic/source.js";
import { createStaged, type SliceMove } from "./arithmetic/staged.js";
import { createTeam, type UpdatedChunk } from "./arithmetic/team.js";

/**
 * A shard's numbers: θ, m and v of its slice of the flat vector, and the staged sums, all in the kernels' memories, one
 * per segment of the layout.
 */
export interface ShardSlice {
  /**
   * Copies pushed bytes into a buffer of the chunk's segment. Unless the buffer is staged, the next call overwrites it.
   * @returns undefined unless all of them are finite numbers
   */
  receive(chunk: Chunk, bytes: Uint8Array): OwnSums | undefined;
  /**
   * Performs what the core has decided about one node of one or many chunks. By the time it returns, sources that are
   * not lent have been read.
   * @param incoming returns the place of the node's sums of a chunk
   * @returns the norms of the chunks that were updated, in the order of the moves. A chunk whose norms are not finite
   * is not updated from there on, and the slice is unusable.
   */
  perform(moves: readonly SliceMove[], incoming: (chunk: number) => SumsSource): UpdatedChunk[];
  /** Discards everything that is staged: no lent source is read any more. */
  clear(): void;
  /** The bytes of the chunk's weights, in place: they change with the next `apply`. */
  weights(chunk: Chunk): Buffer;
  /** A copy of everything. */
  snapshot(): SliceState;
  /** Has `read` fill θ, m and v, one range of elements at a time. */
  restore<T>(read: (into: SliceState, range: ElementRange) => T): T;
  /** The memories, into which other processes' files can be mapped. */
  readonly memories: readonly SegmentMemory[];
  /** Ends the helper threads. */
  close(): void;
}

/** The memory of one segment. θ starts at address 0 and occupies whole pages of 64 KiB. */
export interface SegmentMemory {
  /** The segment's index in the layout. */
  readonly segment: number;
  readonly memory: WebAssembly.Memory;
  /** The element of the flat vector with which θ starts. */
  readonly offset: number;
  /**
   * Reserves `bytes` in separate pages of 64 KiB. @returns their address. @throws {RangeError} when 4 GiB are used up
   */
  reserve(bytes: number): number;
  release(at: number, bytes: number): void;
}

/** The arithmetic on several chunks is bound by memory bandwidth: more threads than this would not make it faster. */
const THREADS_MAX = 4;

/** @param threads the number of threads that compute at once; the result does not depend on it */
export function createSlice(
  layout: Layout,
  range: ChunkRange,
  threads = Math.min(availableCores(), THREADS_MAX),
): ShardSlice {
  const chunks = layout.chunks.slice(range.firstChunk, range.endChunk);
  const segments = [...new Set(chunks.map(({ segment }) => segment))].map((index) =>
    createSegment(
      layout,
      index,
      chunks.filter((chunk) => chunk.segment === index),
    ),
  );
  const places = new Map<number, ChunkPlace>();
  for (const chunk of chunks) {
    const segment = segments.findIndex(({ index }) => index === chunk.segment);
    places.set(chunk.index, placeOf(layout, chunk, segment, segments[segment].offset));
  }
  const segmentOf = (chunk: number): SliceSegment => segments[places.get(chunk)!.segment];
  const team = createTeam({ segments, places, threads });

  const takeBuffer = (chunk: number): { s1: number; s2: number } => {
    const { regions, sumBytes } = segmentOf(chunk);
    const s1 = regions.take(2 * sumBytes);
    return { s1, s2: s1 + sumBytes };
  };
  /** The buffer for the next sums, by segment. */
  const waiting = new Map<SliceSegment, OwnSums>();
  const staged = createStaged(
    {
      take: takeBuffer,
      give: (chunk, s1) => segmentOf(chunk).regions.give(s1, 2 * segmentOf(chunk).sumBytes),
      adopt(chunk, s1) {
        const segment = segmentOf(chunk);
        if (waiting.get(segment)?.s1 !== s1) throw new Error(`the sums of chunk ${chunk} have been overwritten`);
        waiting.delete(segment);
      },
    },
    (chunk) => places.get(chunk)!.trained,
  );

  const stateOf = ({ memory, length, parameters, m, v }: SliceSegment): SliceState => ({
    theta: new Float32Array(memory.buffer, 0, length),
    m: new Float32Array(memory.buffer, m, parameters),
    v: new Float32Array(memory.buffer, v, parameters),
  });

  return {
    receive(chunk, bytes) {
      const segment = segmentOf(chunk.index);
      const kernels = team.kernels(places.get(chunk.index)!.segment);
      const source = waiting.get(segment) ?? ({ kind: "own", ...takeBuffer(chunk.index) } as const);
      waiting.set(segment, source);
      const half = chunk.length * 4;
      const place = (part: Uint8Array, at: number): boolean => {
        new Uint8Array(segment.memory.buffer, at, part.length).set(part);
        return kernels.allFinite(at, part.length / 4);
      };
      return place(bytes.subarray(0, half), source.s1) && place(bytes.subarray(half), source.s2) ? source : undefined;
    },

    perform: (moves, incoming) => staged.perform(moves, incoming, team.run),

    clear: () => staged.clear(),

    weights(chunk) {
      const { memory, offset } = segmentOf(chunk.index);
      return Buffer.from(memory.buffer, (chunk.offset - offset) * 4, chunk.length * 4);
    },

    snapshot() {
      const states = segments.map(stateOf);
      const joined = (pick: (state: SliceState) => Float32Array): Float32Array => {
        const whole = new Float32Array(states.reduce((length, state) => length + pick(state).length, 0));
        let at = 0;
        for (const state of states) {
          whole.set(pick(state), at);
          at += pick(state).length;
        }
        return whole;
      };
      return { theta: joined(({ theta }) => theta), m: joined(({ m }) => m), v: joined(({ v }) => v) };
    },

    restore(read) {
      let result: ReturnType<typeof read> | undefined;
      for (const segment of segments) {
        const { offset, length } = segment;
        result = read(stateOf(segment), { firstElement: offset, endElement: offset + length });
      }
      return result!;
    },

    memories: segments.map(({ index, memory, offset, regions }) => ({
      segment: index,
      memory,
      offset,
      reserve: (bytes) => regions.take(bytes, PAGE_BYTES),
      release: (at, bytes) => regions.give(at, bytes, PAGE_BYTES),
    })),

    close: () => team.close(),
  };
}
