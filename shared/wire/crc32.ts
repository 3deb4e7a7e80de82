import zlib from "node:zlib";
import { IsobatchError } from "../errors.js";

/**
 * CRC-32 as zlib, gzip and PNG define it (polynomial 0xEDB88320, reflected). Node has it from 20.15 and 22.2 on, at
 * 4 GB/s and on shared memory too; older ones get slicing-by-8 (Kounavis & Berry 2005) at a third of the speed.
 */

/** The CRC-32 of `bytes`, as an unsigned number. `previous` is that of the bytes before them, if they go on. */
export const crc32: (bytes: Uint8Array, previous?: number) => number = zlib.crc32 ?? crc32Sliced;

/** Throws `damaged` unless `bytes` have the CRC-32 that came with them; `what` names them, e.g. "chunk 7 from w3". */
export function verifyCrc32(bytes: Uint8Array, expected: number, what: string): void {
  const found = crc32(bytes);
  if (found === expected) return;
  const hex = (crc: number): string => crc.toString(16).padStart(8, "0");
  throw new IsobatchError("damaged", `${what} came damaged: its CRC-32 is ${hex(found)}, not ${hex(expected)}.`);
}

/** What `crc32` is where Node has none. */
export function crc32Sliced(bytes: Uint8Array, previous = 0): number {
  sliceTables ??= tables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = sliceTables;
  let crc = ~previous;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    const low = crc ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    crc =
      t7[low & 0xff] ^
      t6[(low >>> 8) & 0xff] ^
      t5[(low >>> 16) & 0xff] ^
      t4[low >>> 24] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

let sliceTables: Int32Array[] | undefined;

/** Table k holds the CRC of each byte with k zero bytes behind it. */
function tables(): Int32Array[] {
  const all = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    all[0][byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let k = 1; k < 8; k++) all[k][byte] = (all[k - 1][byte] >>> 8) ^ all[0][all[k - 1][byte] & 0xff];
  }
  return all;
}
