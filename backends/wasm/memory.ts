/**
 * Guards the end of the wasm backend's memory, at 4 GiB. When its allocator has no room it returns address 0, which
 * tfjs uses as a tensor's address; and close to the end it computes modulo 2^32, so that it returns memory that does
 * not exist or belongs to another tensor. Tensors would overwrite one another, and the library's own data. So the
 * allocated bytes are counted here, and a request for too many fails before anything is written.
 *
 * If enough bytes are free, but in pieces, the allocator may still go past the end. Then nothing in this memory can be
 * trusted, and every later request fails, too.
 */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { OutOfMemoryError } from "../native-errors.js";

/** The parts of the backend's Emscripten module that its type does not name; tfjs's version is pinned for them. */
interface Allocator {
  _malloc(bytes: number): number;
  _free(address: number): void;
  readonly asm: { readonly memory: WebAssembly.Memory };
}

/** Smaller allocations are not counted: counting costs as much as the rest of an allocation. */
const COUNTED_BYTES_MIN = 4_096;
/** 64 MiB before the end, left for what is not counted, here and in the library itself. */
const BYTES_MAX = 2 ** 32 - 2 ** 26;

const guarded = new WeakSet<Allocator>();

/** Makes a backend's allocator throw where it has no room; a second call does nothing. */
export function guardMemory({ wasm }: Pick<BackendWasm, "wasm">): void {
  const allocator = wasm as unknown as Allocator;
  if (guarded.has(allocator)) return;
  guarded.add(allocator);
  // Until their first call both are stubs, which replace themselves by the module's functions.
  allocator._free(allocator._malloc(1));
  const { _malloc: allocate, _free: free, asm } = allocator;
  /** Their sizes by address. */
  const taken = new Map<number, number>();
  let takenBytes = 0;
  let broken = false;
  allocator._malloc = (bytes) => {
    if (broken || takenBytes + bytes > BYTES_MAX) throw noRoom(bytes);
    const address = allocate(bytes) >>> 0;
    if (address === 0) throw noRoom(bytes);
    if (bytes < COUNTED_BYTES_MIN) return address;
    broken = taken.has(address) || address + bytes > asm.memory.buffer.byteLength;
    if (broken) throw noRoom(bytes);
    taken.set(address, bytes);
    takenBytes += bytes;
    return address;
  };
  allocator._free = (address) => {
    const place = address >>> 0;
    const bytes = taken.get(place);
    if (bytes !== undefined) {
      takenBytes -= bytes;
      taken.delete(place);
    }
    if (!broken) free(address);
  };
}

function noRoom(bytes: number): OutOfMemoryError {
  return new OutOfMemoryError(
    `WebAssembly's memory has no room for ${(bytes / 2 ** 20).toFixed(1)} MiB more; it ends at 4 GiB, or where the system provides no more memory`,
  );
}
