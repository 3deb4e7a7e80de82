/**
 * The checksum of tensors and samples that are sent over a connection without TLS.
 *
 * It is XXH64 (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md), a published function that WebAssembly computes
 * at 16 GB/s where zlib's CRC-32 reaches 6. Any damage within one aligned word of 8 bytes is always found, because
 * each step is invertible; any other damage goes unnoticed once in 2^64. It does not protect against attacks: TLS does,
 * and a connection with TLS needs no checksum.
 *
 * Arrays longer than PIECE_BYTES are cut into pieces of that length; the sum of each piece is the seed of the next.
 * Several arrays follow each other in the same way, each starting with a new piece.
 */
import { readFileSync } from "node:fs";
import { createKernelMemory } from "../kernels/index.js";

/** The longest array that is summed in one piece: a chunk of float32. */
export const PIECE_BYTES = 512 * 1024;

/** XXH64 of the `length` bytes of a memory that start at address `at`. */
export type Xxh64 = (at: number, length: number, seed: bigint) => bigint;

let compiled: WebAssembly.Module | undefined;

/** XXH64 over `memory`, in place. */
export function xxh64Of(memory: WebAssembly.Memory): Xxh64 {
  compiled ??= new WebAssembly.Module(readFileSync(new URL("./kernels.wasm", import.meta.url)));
  const { xxh64 } = new WebAssembly.Instance(compiled, { env: { memory } }).exports as { xxh64: Xxh64 };
  // WebAssembly's 64-bit numbers have a sign.
  return (at, length, seed) => BigInt.asUintN(64, xxh64(at, length, seed));
}

/** The checksum of `parts`, in order. They may be anywhere: they are copied, piece by piece, to be summed. */
export function checksumOf(parts: readonly Uint8Array[]): bigint {
  scratch ??= openScratch();
  let sum = 0n;
  for (const part of parts) {
    for (let at = 0; at < part.length || at === 0; at += PIECE_BYTES) {
      const piece = part.subarray(at, at + PIECE_BYTES);
      scratch.bytes.set(piece);
      sum = scratch.xxh64(0, piece.length, sum);
    }
  }
  return sum;
}

let scratch: { readonly bytes: Uint8Array; readonly xxh64: Xxh64 } | undefined;

function openScratch(): NonNullable<typeof scratch> {
  const memory = createKernelMemory(PIECE_BYTES);
  return { bytes: new Uint8Array(memory.buffer), xxh64: xxh64Of(memory) };
}
