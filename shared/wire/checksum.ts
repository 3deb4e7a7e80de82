import { checksumOf } from "../checksum/index.js";
import { IsobatchError } from "../errors.js";

/**
 * Tensors and samples carry a checksum only if nothing else detects damage on the way: over a connection without TLS,
 * whose only protection would be TCP's 16-bit sum. Each side decides by its own end of the connection and never by what
 * the other side claims, so no peer can switch the check off.
 */

/** A message's `checksum`: 8 bytes, little-endian; empty over an encrypted connection. */
export function checksumFor(connection: { readonly encrypted: boolean }, parts: readonly Uint8Array[]): Buffer {
  return connection.encrypted ? NONE : checksumBytes(checksumOf(parts));
}

export function checksumBytes(sum: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(CHECKSUM_BYTES);
  bytes.writeBigUInt64LE(sum);
  return bytes;
}

/**
 * Throws `damaged` unless the parts are those that were sent; over an encrypted connection, never.
 *
 * @param checksum the checksum that came with them
 * @param what names them: "Chunk 7 from shard 1"
 */
export function verifyChecksum(
  connection: { readonly encrypted: boolean },
  parts: readonly Uint8Array[],
  checksum: Uint8Array,
  what: string,
): void {
  if (connection.encrypted) return;
  if (checksum.length !== CHECKSUM_BYTES) {
    throw new IsobatchError(
      "damaged",
      `${what} came without a checksum, which a connection without TLS needs: ` +
        "both ends must use TLS or neither, and no proxy between them may end it.",
    );
  }
  const found = checksumBytes(checksumOf(parts));
  if (found.equals(checksum)) return;
  const hex = (sum: Uint8Array): string => Buffer.from(sum).reverse().toString("hex");
  throw new IsobatchError("damaged", `${what} came damaged: its checksum is ${hex(found)}, not ${hex(checksum)}.`);
}

export const CHECKSUM_BYTES = 8;
const NONE = Buffer.alloc(0);
