import v8 from "node:v8";
import vm from "node:vm";

/**
 * The memory of received messages. A fresh buffer for each, at half a megabyte, costs more than everything else that is
 * done with a chunk. So the code that has copied a chunk to its place gives its memory back, and the next message is
 * received into it while it is still in the processor's cache. Memory that is not given back is left to the garbage
 * collector.
 *
 * Node.js itself still reads from a socket into fresh buffers, 64 KiB at a time. V8 counts them as external memory, and
 * after about 32 MiB of them marks the whole heap, repeatedly, although nearly all of it died young. Collecting the
 * young generation after every 8 MiB of messages, which takes a tenth of a millisecond, frees them before that. V8 has
 * no setting for this, only its `gc`. By default it shares this work with helper threads and waits for them; when
 * compute threads use all cores that takes up to 3 ms (p90), so helpers are switched off. Both flags are read at each
 * collection.
 *
 * glibc takes a buffer of more than 128 KiB from the operating system and gives it back when it is freed, so that each page
 * faults again. But it adapts: once such a buffer is freed, it keeps freed buffers up to that size from then on. So one
 * buffer just below the largest size to which it adapts (32 MiB) is allocated, never touched (it takes no memory), and
 * left to the garbage collector. Other allocators are not affected.
 */

/** The smallest buffers worth keeping. */
const KEPT_BYTES_MIN = 64 * 1024;
/** The most memory that waits for its next message. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Lengths are rounded up, so that chunks which differ in a header of a few bytes fit into each other's memory. */
const GRAIN_BYTES = 16 * 1024;

const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;
const LEARNT_BYTES_MAX = 31 * 1024 * 1024;

/** Waiting buffers by length; at most WAITING_BYTES_MAX in total. */
const waiting = new Map<number, ArrayBufferLike[]>();
let waitingBytes = 0;
/** Memory that is in use and may be given back. */
const lent = new WeakSet<ArrayBufferLike>();

let uncollectedBytes = 0;
let collectYoung: (() => void) | undefined;

/** Memory for a message of `length` bytes, which come from the network in pieces. */
export function takeMemory(length: number): Buffer {
  countReceived(length);
  if (length < KEPT_BYTES_MIN) return Buffer.allocUnsafe(length);
  const capacity = Math.ceil(length / GRAIN_BYTES) * GRAIN_BYTES;
  let buffer = waiting.get(capacity)?.pop();
  if (buffer === undefined) buffer = Buffer.allocUnsafeSlow(capacity).buffer;
  else waitingBytes -= capacity;
  lent.add(buffer);
  return Buffer.from(buffer, 0, length);
}

/**
 * Gives back the memory of the message of which `bytes` is a field; no part of that message may be used any more. Does
 * nothing for any other memory, or the second time.
 */
export function giveBackMemory({ buffer }: Uint8Array): void {
  if (!lent.delete(buffer) || waitingBytes + buffer.byteLength > WAITING_BYTES_MAX) return;
  waitingBytes += buffer.byteLength;
  const same = waiting.get(buffer.byteLength);
  if (same === undefined) waiting.set(buffer.byteLength, [buffer]);
  else same.push(buffer);
}

function countReceived(bytes: number): void {
  uncollectedBytes += bytes;
  if (uncollectedBytes < COLLECT_EVERY_BYTES) return;
  uncollectedBytes = 0;
  collectYoung ??= start();
  collectYoung();
}

function start(): () => void {
  Buffer.allocUnsafeSlow(LEARNT_BYTES_MAX);
  for (const flag of ["--no-parallel-scavenge", "--no-concurrent-array-buffer-sweeping"]) v8.setFlagsFromString(flag);
  v8.setFlagsFromString("--expose-gc");
  const gc = vm.runInNewContext("globalThis.gc") as ((options: { type: "minor" }) => void) | undefined;
  v8.setFlagsFromString("--no-expose-gc");
  return () => gc?.({ type: "minor" });
}
