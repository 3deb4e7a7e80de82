import { checksumOf, type Xxh64, xxh64Of } from "../checksum/index.js";
import { createKernelMemory, PAGE_BYTES } from "../kernels/index.js";
import { RETRY_BUFFER_BYTES } from "./channel.js";
import { CHECKSUM_BYTES, checksumBytes } from "./checksum.js";
import {
  CHECKSUM_FIELD_BYTES,
  type Frame,
  type SerialisedMessage,
  type SumsChunkInParts,
  serialiseSumsChunk,
  weightsChunkCodec,
  writeFrame,
} from "./chunk-messages.js";
import { FRAME_BYTES } from "./message-decoder.js";
import type { WeightsChunk } from "./messages/index.js";

/**
 * Encodes chunks, with the five bytes that frame a message, into memory that is reused: grpc-js would allocate a fresh
 * buffer for each. One frame can be sent over any number of connections, so that weights are encoded once for all that
 * watch them.
 *
 * A frame is a copy: its source may change at once. Data written into its memory after its release can at worst reach a
 * call that has ended.
 */

/** The most memory for frames; beyond it they get ordinary buffers. */
const ARENA_BYTES_MAX = 32 * 1024 * 1024;
const GRAIN_BYTES = 16 * 1024;

type Connection = { readonly encrypted: boolean };

/** A chunk of sums, with its checksum if the connection needs one. */
export function frameOfSums(chunk: Omit<SumsChunkInParts, "checksum">, connection: Connection): Frame {
  const { sums, moreSums } = chunk;
  const lengths = moreSums === undefined ? [sums.length] : [sums.length, moreSums.length];
  const message = serialiseSumsChunk({ ...chunk, checksum: placeFor(connection) });
  // A shorter message may be sent again after its write has resolved.
  const take = message.length > RETRY_BUFFER_BYTES ? takeSlot : ordinarySlot;
  return framed(message, connection, lengths, take);
}

/** A chunk of weights, with its checksum if the connection needs one. */
export function frameOfWeights(chunk: Omit<WeightsChunk, "checksum">, connection: Connection): Frame {
  const message = weightsChunkCodec.serialise({ ...chunk, checksum: placeFor(connection) });
  return framed(message, connection, [chunk.weights.length], takeSlot);
}

const NONE = Buffer.alloc(0);
const UNKNOWN = Buffer.alloc(CHECKSUM_BYTES);
const placeFor = ({ encrypted }: Connection): Buffer => (encrypted ? NONE : UNKNOWN);

/** @param lengths the lengths of the parts under the checksum; the last one ends where the checksum's field starts */
function framed(
  message: SerialisedMessage,
  { encrypted }: Connection,
  lengths: readonly number[],
  take: (length: number) => Slot,
): Frame {
  const { bytes: frame, checksum, release } = take(FRAME_BYTES + message.length);
  writeFrame(frame, message);
  if (!encrypted) {
    const end = frame.length - CHECKSUM_FIELD_BYTES;
    const start = end - lengths.reduce((sum, length) => sum + length, 0);
    frame.set(checksumBytes(checksum(start, lengths)), frame.length - CHECKSUM_BYTES);
  }
  return {
    length: message.length,
    byteLength: message.length,
    frame,
    release,
    copy: (target, at) => target.set(frame.subarray(FRAME_BYTES), at),
  };
}

interface Slot {
  readonly bytes: Buffer;
  /** The checksum of consecutive parts of these lengths from `start` on. */
  checksum(start: number, lengths: readonly number[]): bigint;
  release(): void;
}

/** Shared memory in which XXH64 is computed in place: slot by slot, each reused for frames of the same length. */
interface Arena {
  readonly memory: WebAssembly.Memory;
  readonly xxh64: Xxh64;
  usedBytes: number;
  /** Addresses of free slots by their capacity. */
  readonly free: Map<number, number[]>;
}

let arena: Arena | undefined;

function takeSlot(length: number): Slot {
  arena ??= openArena();
  const { memory, xxh64, free } = arena;
  const capacity = Math.ceil(length / GRAIN_BYTES) * GRAIN_BYTES;
  let slots = free.get(capacity);
  if (slots === undefined) {
    slots = [];
    free.set(capacity, slots);
  }
  if (slots.length === 0) {
    if (arena.usedBytes + capacity > ARENA_BYTES_MAX) return ordinarySlot(length);
    slots.push(arena.usedBytes);
    arena.usedBytes += capacity;
    const missing = arena.usedBytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  }
  const at = slots.pop()!;
  let taken = true;
  return {
    bytes: Buffer.from(memory.buffer, at, length),
    checksum(start, lengths) {
      let [from, sum] = [at + start, 0n];
      for (const part of lengths) {
        sum = xxh64(from, part, sum);
        from += part;
      }
      return sum;
    },
    release() {
      if (taken) slots.push(at);
      taken = false;
    },
  };
}

function ordinarySlot(length: number): Slot {
  const bytes = Buffer.allocUnsafe(length);
  return {
    bytes,
    checksum(start, lengths) {
      let from = start;
      const parts = lengths.map((part) => {
        from += part;
        return bytes.subarray(from - part, from);
      });
      return checksumOf(parts);
    },
    release() {},
  };
}

function openArena(): Arena {
  const memory = createKernelMemory(0);
  return { memory, xxh64: xxh64Of(memory), usedBytes: 0, free: new Map() };
}
