/**
 * TensorBoard's events as bytes: `tensorflow.Event` of tensorflow/core/util/event.proto in protobuf, each framed as a
 * TFRecord. Only the parts that scalars need.
 */
import protobuf from "protobufjs/minimal.js";
import { crc32c } from "./crc32c.js";

/** A number with a name; the part before the first "/" is its group. */
export interface Scalar {
  readonly tag: string;
  readonly value: number;
}

const { Writer } = protobuf;
type Message = protobuf.Writer;

/** The first event of a file. From version 2 on, readers follow `sessionStart`. */
export function fileVersion(wallTimeSeconds: number): Uint8Array {
  return record(event(wallTimeSeconds, 0).uint32(tag(3, BYTES)).string("brain.Event:2"));
}

/** From here on events count from `step`; earlier events of `step` and later steps are void. */
export function sessionStart(wallTimeSeconds: number, step: number): Uint8Array {
  const START = 1;
  const log = event(wallTimeSeconds, step).uint32(tag(7, BYTES)).fork();
  return record(log.uint32(tag(1, VARINT)).int32(START).ldelim());
}

/** The values of one step. */
export function scalarsAt(wallTimeSeconds: number, step: number, scalars: readonly Scalar[]): Uint8Array {
  const summary = event(wallTimeSeconds, step).uint32(tag(5, BYTES)).fork();
  for (const { tag: name, value } of scalars) {
    const entry = summary.uint32(tag(1, BYTES)).fork();
    entry.uint32(tag(1, BYTES)).string(name).uint32(tag(2, FIXED32)).float(value).ldelim();
  }
  return record(summary.ldelim());
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

function tag(field: number, type: number): number {
  return field * 8 + type;
}

function event(wallTimeSeconds: number, step: number): Message {
  return Writer.create().uint32(tag(1, FIXED64)).double(wallTimeSeconds).uint32(tag(2, VARINT)).int64(step);
}

/** Length, its masked CRC, the bytes, theirs; all numbers little-endian (tensorflow/core/lib/io/record_writer.h). */
function record(message: Message): Uint8Array {
  const data = message.finish();
  const framed = Buffer.alloc(8 + 4 + data.length + 4);
  framed.writeBigUInt64LE(BigInt(data.length), 0);
  framed.writeUInt32LE(masked(crc32c(framed.subarray(0, 8))), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(masked(crc32c(data)), 12 + data.length);
  return framed;
}

/** Masked, so that the CRC of data that contains CRCs is not degenerate. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
