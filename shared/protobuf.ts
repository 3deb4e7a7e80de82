import { IsobatchError } from "./errors.js";

/**
 * The part of protobuf's encoding that the large messages need: varints, tags and length-delimited fields. It exists
 * because protobuf.js copies every bytes field into its own writer; all other messages go through protobuf.js.
 * https://protobuf.dev/programming-guides/encoding
 */

export const NUMBER = 0;
export const BYTES = 2;
const FIXED64 = 1;
const FIXED32 = 5;

/** The length in bytes of `value`, an integer in [0, 2^53), as a varint. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** Writes `value`, an integer in [0, 2^53), at `at`. @returns its end */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[end++] = (rest % 0x80) | 0x80;
  target[end++] = rest;
  return end;
}

/** Writes the tag of a field with a number below 16 (one byte), then a varint: its value, or its bytes' length. */
export function writeField(target: Uint8Array, at: number, field: number, type: number, value: number): number {
  target[at] = (field << 3) | type;
  return writeVarint(target, at + 1, value);
}

/** Called with a message's fields; those of the fixed 32- and 64-bit types are skipped. */
export interface FieldVisitor {
  /** `value` is an integer in [0, 2^53). */
  number(field: number, value: number): void;
  /** The field's bytes are [from, to) of the message's buffer. */
  bytes(field: number, from: number, to: number): void;
}

/**
 * Visits the fields of the message in [start, end) of `buffer`, in their order. Never reads past `end`.
 *
 * @throws IsobatchError `damaged` if it is not a protobuf message, or a number is 2^53 or more.
 */
export function readFields(buffer: Uint8Array, start: number, end: number, visitor: FieldVisitor): void {
  let at = start;

  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < end; scale *= 0x80) {
      const byte = buffer[at++];
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER || scale > 2 ** 63) return damaged("a number that is too large");
      if (byte < 0x80) return value;
    }
    return damaged("a number that is cut off");
  };
  const skip = (length: number): number => {
    if (length > end - at) damaged("a field that is longer than the message");
    at += length;
    return at;
  };

  while (at < end) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (field === 0) damaged("a field without a number");
    const type = tag % 8;
    if (type === NUMBER) visitor.number(field, varint());
    else if (type === BYTES) {
      const length = varint();
      const from = at;
      visitor.bytes(field, from, skip(length));
    } else if (type === FIXED64) skip(8);
    else if (type === FIXED32) skip(4);
    else damaged("a field of an unknown type");
  }
}

function damaged(what: string): never {
  throw new IsobatchError("damaged", `A message holds ${what}: the connection or the other side's version is wrong.`);
}
