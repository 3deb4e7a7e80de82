import { BYTES, NUMBER, readFields, varintLength, writeField } from "../protobuf.js";
import { CHECKSUM_BYTES } from "./checksum.js";
import { FRAME_BYTES } from "./message-decoder.js";
import type { PushMessage, SampleBatchMessage, SumsChunk, WeightsChunk } from "./messages/index.js";

/**
 * Serialisers for the three messages that carry megabytes: `PushMessage` with a chunk, `WeightsChunk`, `SampleBatch`.
 * They write the same protobuf as protobuf.js, but without copies: the sender's bytes go from where they are, usually
 * shared WebAssembly memory, straight into what is sent, and the receiver gets a view of what was received. protobuf.js
 * would copy once more on each side.
 *
 * Tensors are aligned to 8 bytes in the buffers of both sides, by a padding field that every decoder skips as unknown:
 * JavaScript copies from and to shared memory word by word if it can, else byte by byte at an eighth of the speed (28
 * GB/s against 3.6 measured).
 *
 * This rests on what grpc-js (1.14) does with a serialised message: it asks for `length` and `byteLength` and calls
 * `copy(target, at)` once, into its own buffer, behind the five bytes that frame a message. Its size limits and its
 * compression filter, which is identity here, use nothing else.
 *
 * **Until when must the source stay unchanged?** Until the callback of `stream.write(message, callback)`, or the
 * promise of `MessageWriter.write`, or until the call has ended. Not merely until `write` returns:
 * - a client serialises in `write` (if no other write is pending) but copies in a later microtask, and not before the
 * connection is established; the callback comes when the copy is made, or, for a message longer than
 * RETRY_BUFFER_BYTES, when HTTP/2 has taken it;
 * - a server serialises, copies and sends at once, in `write` if no other write is pending; else when the previous
 * write is done. The callback comes when HTTP/2 has taken the copy. After a call has ended, data that is still copied
 * is never sent.
 */

/** Everything that grpc-js uses of a serialised message. */
export interface SerialisedMessage {
  readonly length: number;
  readonly byteLength: number;
  /** Writes the message into `target` from `at` on. */
  copy(target: Uint8Array, at: number): void;
}

/**
 * A message as it goes over the wire, with the five bytes that frame it (frames.ts). It is written in place of a message,
 * and sent as it is: `reuse.ts` has grpc-js take `frame` instead of copying.
 */
export interface Frame extends SerialisedMessage {
  readonly frame: Buffer;
  /** Releases its memory for the next frame, once every write of it has resolved or failed. */
  release(): void;
}

/** Writes a message behind the five bytes that frame it: the flag for uncompressed, and its length. */
export function writeFrame(frame: Buffer, message: SerialisedMessage): Buffer {
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, FRAME_BYTES);
  return frame;
}

const ALIGNMENT = 8;
/** Reserved in the .proto of the messages that are padded. */
const PADDING_FIELD = 15;

/** Protobuf bytes ↔ message. */
interface Codec<Message> {
  serialise(message: Message | Frame): SerialisedMessage;
  deserialise(bytes: Buffer): Message;
}

/** A chunk whose sums may be in two places, as S1 and S2 are: those in `moreSums` go behind `sums`. */
export interface SumsChunkInParts extends SumsChunk {
  readonly moreSums?: Uint8Array;
}

/** `codec`, with its own serialiser and deserialiser for messages with a chunk. */
export function pushMessageCodec(codec: {
  serialise(message: PushMessage): SerialisedMessage;
  deserialise(bytes: Buffer): PushMessage;
}): Codec<PushMessage> {
  return {
    serialise(message) {
      if ("frame" in message) return message;
      return message.chunk ? serialiseSumsChunk(message.chunk) : codec.serialise(message);
    },
    deserialise: (bytes) => deserialiseSumsChunk(bytes) ?? codec.deserialise(bytes),
  };
}

export function serialiseSumsChunk(message: SumsChunkInParts): SerialisedMessage {
  const { lo, hi, chunk, sums, moreSums = EMPTY, checksum } = message;
  const sumsLength = sums.length + moreSums.length;
  const numbers = numberLength(lo) + numberLength(hi) + numberLength(chunk);
  const chunkLength = numbers + 1 + varintLength(sumsLength) + sumsLength + checksumLength(checksum);
  const length = 1 + varintLength(chunkLength) + chunkLength;
  const padding = paddingBefore(length - sumsLength - checksumLength(checksum));
  return serialised(paddingLength(padding) + length, (target, at) => {
    let end = writePadding(target, at, padding);
    end = writeField(target, end, 2, BYTES, chunkLength);
    end = writeField(target, end, 1, NUMBER, lo);
    end = writeField(target, end, 2, NUMBER, hi);
    end = writeField(target, end, 3, NUMBER, chunk);
    end = writeField(target, end, 5, BYTES, sumsLength);
    target.set(sums, end);
    target.set(moreSums, end + sums.length);
    writeChecksum(target, end + sumsLength, checksum);
  });
}

/** Undefined unless the message is exactly one chunk. */
function deserialiseSumsChunk(message: Buffer): PushMessage | undefined {
  let chunks = 0;
  let from = 0;
  let to = 0;
  readFields(message, 0, message.length, {
    number: () => {},
    bytes(field, start, end) {
      if (field === PADDING_FIELD) return;
      chunks += field === 2 ? 1 : Number.POSITIVE_INFINITY;
      from = start;
      to = end;
    },
  });
  if (chunks !== 1) return undefined;
  const chunk: Mutable<SumsChunk> = { lo: 0, hi: 0, chunk: 0, sums: EMPTY, checksum: EMPTY };
  readFields(message, from, to, {
    number(field, value) {
      if (field === 1) chunk.lo = uint32(value);
      else if (field === 2) chunk.hi = uint32(value);
      else if (field === 3) chunk.chunk = uint32(value);
    },
    bytes(field, start, end) {
      if (field === 5) chunk.sums = message.subarray(start, end);
      else if (field === 6) chunk.checksum = message.subarray(start, end);
    },
  });
  return { chunk };
}

export const weightsChunkCodec: Codec<WeightsChunk> = {
  serialise(message) {
    if ("frame" in message) return message;
    const { term, version, chunk, weights, checksum } = message;
    const numbers = numberLength(term) + numberLength(version) + numberLength(chunk);
    const length = numbers + bytesLength(weights) + checksumLength(checksum);
    const padding = paddingBefore(length - weights.length - checksumLength(checksum));
    return serialised(paddingLength(padding) + length, (target, at) => {
      let end = writePadding(target, at, padding);
      end = writeField(target, end, 1, NUMBER, term);
      end = writeField(target, end, 2, NUMBER, version);
      end = writeField(target, end, 3, NUMBER, chunk);
      end = writeBytes(target, end, 5, weights);
      writeChecksum(target, end, checksum);
    });
  },
  deserialise(bytes) {
    const message: Mutable<WeightsChunk> = { term: 0, version: 0, chunk: 0, weights: EMPTY, checksum: EMPTY };
    readFields(bytes, 0, bytes.length, {
      number(field, value) {
        if (field === 1) message.term = value;
        else if (field === 2) message.version = value;
        else if (field === 3) message.chunk = uint32(value);
      },
      bytes(field, start, end) {
        if (field === 5) message.weights = bytes.subarray(start, end);
        else if (field === 6) message.checksum = bytes.subarray(start, end);
      },
    });
    return message;
  },
};

export const sampleBatchCodec: Codec<SampleBatchMessage> = {
  serialise(message) {
    if ("frame" in message) return message;
    const { number, samples, inputs, labels, checksum } = message;
    const numbers = numberLength(number) + numberLength(samples) + checksumLength(checksum);
    return serialised(numbers + bytesLength(inputs) + bytesLength(labels), (target, at) => {
      let end = writeField(target, at, 1, NUMBER, number);
      end = writeField(target, end, 2, NUMBER, samples);
      end = writeBytes(target, end, 3, inputs);
      end = writeBytes(target, end, 4, labels);
      writeChecksum(target, end, checksum);
    });
  },
  deserialise(bytes) {
    const message: Mutable<SampleBatchMessage> = {
      number: 0,
      samples: 0,
      inputs: EMPTY,
      labels: EMPTY,
      checksum: EMPTY,
    };
    readFields(bytes, 0, bytes.length, {
      number(field, value) {
        if (field === 1) message.number = value;
        else if (field === 2) message.samples = uint32(value);
      },
      bytes(field, start, end) {
        if (field === 3) message.inputs = bytes.subarray(start, end);
        else if (field === 4) message.labels = bytes.subarray(start, end);
        else if (field === 6) message.checksum = bytes.subarray(start, end);
      },
    });
    return message;
  },
};

type Mutable<Message> = { -readonly [Field in keyof Message]: Message[Field] };

const EMPTY = Buffer.alloc(0);

/** The last field of all three messages, so that it can be filled in when the rest has been written. */
const CHECKSUM_FIELD = 6;
/** The checksum's bytes with their tag and length. */
export const CHECKSUM_FIELD_BYTES = 2 + CHECKSUM_BYTES;

/** The bytes of the checksum's field, which is left out if there is none. */
function checksumLength(checksum: Uint8Array): number {
  return checksum.length === 0 ? 0 : bytesLength(checksum);
}

function writeChecksum(target: Uint8Array, at: number, checksum: Uint8Array): void {
  if (checksum.length > 0) writeBytes(target, at, CHECKSUM_FIELD, checksum);
}

function serialised(length: number, copy: SerialisedMessage["copy"]): SerialisedMessage {
  return { length, byteLength: length, copy };
}

/** The bytes of a number with its one-byte tag. */
function numberLength(value: number): number {
  return 1 + varintLength(value);
}

function bytesLength(source: Uint8Array): number {
  return 1 + varintLength(source.length) + source.length;
}

function writeBytes(target: Uint8Array, at: number, field: number, source: Uint8Array): number {
  const start = writeField(target, at, field, BYTES, source.length);
  target.set(source, start);
  return start + source.length;
}

/** The bytes of padding, in [0, 8), that align the data behind a header of `headerLength` bytes. */
function paddingBefore(headerLength: number): number {
  const unpadded = FRAME_BYTES + paddingLength(0) + headerLength;
  return (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT;
}

function paddingLength(padding: number): number {
  return 2 + padding;
}

function writePadding(target: Uint8Array, at: number, padding: number): number {
  const start = writeField(target, at, PADDING_FIELD, BYTES, padding);
  target.fill(0, start, start + padding);
  return start + padding;
}

/** The lower 32 bits: protobuf's rule for a number that is too long for its field. */
function uint32(value: number): number {
  return value % 0x1_0000_0000;
}
