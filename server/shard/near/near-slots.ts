import { closeSync, fstatSync } from "node:fs";
import { join } from "node:path";
import type { Chunk, ChunkRange, Layout } from "../../../shared/layout/index.js";
import type { FileMapper } from "../../../shared/native/process-addon.js";
import {
  NearError,
  openFile,
  openWindow,
  PAGE_BYTES,
  type SlotShape,
  slotShapes,
  slotsFile,
  sumsAt,
  type Window,
  wholePages,
} from "../../../shared/near/index.js";
import type { SumsSource } from "../arithmetic/source.js";
import type { SegmentMemory } from "../slice.js";

/**
 * The slots of one worker on this machine, as the shard reads them: in its own memory if they can be mapped into it,
 * else from the worker's files. The worker reports only their number, which is compared with its files.
 */
export interface NearSlots {
  readonly count: number;
  /** Whether the shard still reads some of them. */
  readonly lends: boolean;
  /** Sets the number of slots, which may only grow. @throws {NearError} if the files have no room for them. */
  grow(count: number): void;
  /** Where the sums of a chunk are in a slot. With `lend`, the shard may read them until the step is over. */
  sums(slot: number, chunk: Chunk, lend: boolean): SumsSource;
  /** No slot is read any more: the step is over or was abandoned. @returns whether the worker has left. */
  returned(): boolean;
  /** The worker has left; slots that it has lent are kept until they are returned. */
  close(): void;
}

interface SlotsSegment extends SegmentMemory {
  readonly shape: SlotShape;
  readonly file: number;
  /** The mapped slots, in order. */
  readonly blocks: Block[];
}

/** Slots that were added together, in the segment's memory. */
interface Block {
  readonly end: number;
  /** The address that slot 0 would have in this block. */
  readonly origin: number;
  readonly at: number;
  readonly bytes: number;
  readonly window: Window;
}

/** More slots than any worker has. */
const SLOTS_MAX = 2 ** 16;
/** Slots are mapped below this address; the other half of the address space is the shard's. */
const MAPPED_END = 2 ** 31;

export function openSlots(options: {
  /** The worker's folder. */
  readonly folder: string;
  readonly layout: Layout;
  readonly range: ChunkRange;
  readonly memories: readonly SegmentMemory[];
  readonly mapper: FileMapper | undefined;
}): NearSlots {
  const { folder, layout, memories, mapper } = options;
  const shapes = slotShapes(layout);
  const segments = new Map<number, SlotsSegment>();
  let count = 0;
  let lent = false;
  let closed = false;

  const closeFiles = (): void => {
    for (const { blocks, file, release } of segments.values()) {
      for (const { window, at, bytes } of blocks) {
        window.close();
        release(at, bytes);
      }
      closeSync(file);
    }
    segments.clear();
  };

  /** Maps the slots after the last mapped one; slots for which there are no addresses are read from the file. */
  const map = ({ shape, file, blocks, memory, reserve, release }: SlotsSegment, from: number, to: number): void => {
    const fileOffset = Math.floor((from * shape.bytes) / PAGE_BYTES) * PAGE_BYTES;
    const bytes = wholePages(to * shape.bytes) - fileOffset;
    if (memory.buffer.byteLength + bytes > MAPPED_END) return;
    const at = reserve(bytes);
    try {
      const window = openWindow({ memory, address: at, bytes, file, fileOffset, writable: false, mapper });
      blocks.push({ end: to, origin: at - fileOffset, at, bytes, window });
    } catch (error) {
      release(at, bytes);
      throw error;
    }
  };

  try {
    for (const memory of memories) {
      const shape = shapes[memory.segment];
      if (shape.bytes === 0) continue;
      const file = openFile(join(folder, slotsFile(memory.segment)), "read", 0);
      segments.set(memory.segment, { ...memory, shape, file, blocks: [] });
    }
  } catch (error) {
    closeFiles();
    throw error;
  }

  return {
    get count() {
      return count;
    },
    get lends() {
      return lent;
    },
    grow(wanted) {
      if (!(wanted > count && wanted <= SLOTS_MAX)) throw new NearError(`${wanted} slots after ${count}`);
      for (const segment of segments.values()) {
        const { size } = fstatSync(segment.file);
        const needed = wholePages(wanted * segment.shape.bytes);
        if (size < needed) throw new NearError(`a file of ${size} bytes for slots that take ${needed}`);
        if (mapper !== undefined && (segment.blocks.at(-1)?.end ?? 0) === count) map(segment, count, wanted);
      }
      count = wanted;
    },
    sums(slot, chunk, lend) {
      const { shape, file, blocks } = segments.get(chunk.segment)!;
      lent ||= lend;
      const [s1, s2] = [sumsAt(shape, slot, "s1", chunk), sumsAt(shape, slot, "s2", chunk)];
      const block = blocks.find(({ end }) => slot < end);
      if (block === undefined) return { kind: "file", file, s1, s2, lend };
      return { kind: "memory", s1: block.origin + s1, s2: block.origin + s2, lend };
    },
    returned() {
      lent = false;
      if (closed) closeFiles();
      return closed;
    },
    close() {
      closed = true;
      if (!lent) closeFiles();
    },
  };
}
