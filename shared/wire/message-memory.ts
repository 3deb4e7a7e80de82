import v8 from "node:v8";
import vm from "node:vm";

/**
 * The memory of received messages. A fresh buffer for each of them, at half a megabyte apiece, costs more than everything
 * else that is done with a chunk; so whoever has copied a chunk to its place gives its memory back, and the next message
 * comes into that, which is still in the processor's cache. What nobody gives back is left to the garbage collector.
 *
 * What stays fresh is what Node.js itself reads from a socket, 64 KiB at a time. V8 counts it as external memory, and after
 * about 32 MiB of it marks the whole heap, again and again, although nearly all of it died young. Collecting the young
 * generation, which takes a tenth of a millisecond, after every 8 MiB of messages frees it first. V8 has no setting for
 * that, only its `gc`. It would share this work with helper threads and wait for them; where compute threads have all
 * cores that takes up to 3 ms (p90), so it is told to do without. Both flags are read anew at each collection.
 *
 * glibc takes a buffer of more than 128 KiB from the operating system and gives it back when it is freed, so that each page
 * faults again. But it learns: when such a buffer is freed, it keeps what is no larger than that, for good. So one buffer
 * just below the largest size that it learns from (32 MiB) is allocated, never touched (it takes no memory), and left to
 * the garbage collector. Other allocators are not moved by this.
 */

/** Smaller ones are not worth keeping. */
const KEPT_BYTES_MIN = 64 * 1024;
/** Of memory that waits for its next message. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Lengths are rounded up, so that chunks which differ in a header of a few bytes fit into each other's memory. */
const GRAIN_BYTES = 16 * 1024;

const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;
const LEARNT_BYTES_MAX = 31 * 1024 * 1024;

/** By their length; all together at most WAITING_BYTES_MAX. */
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
 * Gives back the memory of the message that `bytes` is a field of; nothing of that message may be looked at any more.
 * Does nothing with any other memory, and nothing the second time.
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
