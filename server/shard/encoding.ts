import { instantiateKernels, type Kernels } from "../../shared/kernels/index.js";
import {
  BYTES_PER_ELEMENT,
  CHUNK_LENGTH_MAX,
  type Chunk,
  isPacked,
  type WireFormat,
  wireBytes,
} from "../../shared/layout/index.js";
import type { OwnSums } from "./arithmetic/source.js";
import type { SegmentMemory, ShardSlice } from "./slice.js";

/** Conversion between the slice's float32 numbers and the task's wire format. */
export interface Encoding extends Pick<ShardSlice, "receive"> {
  /** The bytes of a chunk's weights as they are sent, valid until the next call or the chunk's next update. */
  weights(chunk: Chunk): Buffer;
}

interface Packing {
  readonly segment: SegmentMemory;
  readonly kernels: Kernels;
  /** The address of a buffer for the largest chunk as float32. */
  readonly at: number;
}

export function createEncoding(slice: ShardSlice, wire: WireFormat): Encoding {
  if (wire === "float32") return slice;
  const packings = new Map<number, Packing>();
  const packingOf = (chunk: Chunk): Packing => {
    const known = packings.get(chunk.segment);
    if (known !== undefined) return known;
    const segment = slice.memories.find((each) => each.segment === chunk.segment)!;
    const at = segment.reserve(CHUNK_LENGTH_MAX * BYTES_PER_ELEMENT);
    const packing = { segment, kernels: instantiateKernels(segment.memory), at };
    packings.set(chunk.segment, packing);
    return packing;
  };
  const bytesAt = ({ segment }: Packing, at: number, length: number): Buffer =>
    Buffer.from(segment.memory.buffer, at, length);

  return {
    weights(chunk) {
      if (!isPacked(chunk, wire)) return slice.weights(chunk);
      const packing = packingOf(chunk);
      const { segment, kernels, at } = packing;
      kernels.packBfloat16((chunk.offset - segment.offset) * BYTES_PER_ELEMENT, at, chunk.length);
      return bytesAt(packing, at, wireBytes(chunk, wire));
    },

    receive(chunk, bytes): OwnSums | undefined {
      if (bytes.length !== wireBytes(chunk, wire) || !isPacked(chunk, wire)) return slice.receive(chunk, bytes);
      const packing = packingOf(chunk);
      const length = chunk.length * BYTES_PER_ELEMENT;
      const packedAt = packing.at + length - bytes.length;
      bytesAt(packing, packedAt, bytes.length).set(bytes);
      packing.kernels.unpackBfloat16(packedAt, packing.at, chunk.length);
      return slice.receive(chunk, bytesAt(packing, packing.at, length));
    },
  };
}
