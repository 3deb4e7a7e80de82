import v8 from "node:v8";
import vm from "node:vm";

/**
 * The memory of message buffers. gRPC allocates a fresh buffer for each message that it frames or receives; at half a
 * megabyte apiece this costs more than everything else that is done with a chunk, in two places, and both can be
 * talked out of it. Together they make a push or pull two to four times as fast.
 *
 * - V8 counts the buffers as external memory, and after about 32 MiB of them it marks the whole heap, again and
 *   again, although nearly all of them died young. Collecting the young generation, which takes well below a
 *   millisecond, after every 8 MiB of messages frees them first; and the next ones find memory that is still in the
 *   processor's cache. V8 has no setting for that, only its `gc`.
 * - glibc takes a buffer of more than 128 KiB from the operating system and gives it back when it is freed, so that
 *   each page faults again. But it learns: when such a buffer is freed, it keeps what is no larger than that, for
 *   good. So one buffer just below the largest size that it learns from (32 MiB) is allocated, never touched (it
 *   takes no memory), and left to the garbage collector. Other allocators are not moved by this.
 */

const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;
const LEARNT_BYTES_MAX = 31 * 1024 * 1024;

let uncollectedBytes = 0;
let collectYoung: (() => void) | undefined;

/** Counts a message's buffer that gRPC has allocated, or is about to. */
export function countMessage(bytes: number): void {
  uncollectedBytes += bytes;
  if (uncollectedBytes < COLLECT_EVERY_BYTES) return;
  uncollectedBytes = 0;
  collectYoung ??= start();
  collectYoung();
}

function start(): () => void {
  Buffer.allocUnsafeSlow(LEARNT_BYTES_MAX);
  v8.setFlagsFromString("--expose-gc");
  const gc = vm.runInNewContext("globalThis.gc") as ((options: { type: "minor" }) => void) | undefined;
  v8.setFlagsFromString("--no-expose-gc");
  return () => gc?.({ type: "minor" });
}
