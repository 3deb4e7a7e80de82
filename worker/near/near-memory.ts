import type { WorkerMemory } from "../../compute/index.js";
import type { Logger } from "../../shared/log.js";
import type { FileMapper } from "../../shared/native/process-addon.js";
import { asNearError, createSequencePages, NearError, PAGE_BYTES } from "../../shared/near/index.js";
import { type SharedSlots, shareSlots } from "./shared-slots.js";

/** Where and how this worker shares memory, unless it has to use the wire. */
export interface MemoryOptions {
  /** See `memoryFolderOf`. */
  readonly folder: string;
  /** Undefined: numbers are copied to and from files, because there is no native code to map them. */
  readonly mapper: FileMapper | undefined;
  /** Whether the wire must not be used instead. */
  readonly required: boolean;
}

/** What a worker shares with shards of its machine; it exists as long as the memories. */
export interface NearMemory extends MemoryOptions {
  /** @throws {NearError} if they can't be shared now, or the system's error */
  slots(memory: WorkerMemory, log: Logger): Promise<SharedSlots>;
  /** One page for each shard's sequence. */
  pagesFor(shards: number): WebAssembly.Memory;
  close(): void;
}

export function createNearMemory(options: MemoryOptions): NearMemory {
  let sharing: Promise<SharedSlots> | undefined;
  let pages: WebAssembly.Memory | undefined;
  return {
    ...options,
    slots(memory, log) {
      sharing ??= share(memory, log).catch((error: unknown) => {
        sharing = undefined;
        throw error;
      });
      return sharing;
    },
    pagesFor(shards) {
      if (pages === undefined || pages.buffer.byteLength < shards * PAGE_BYTES) pages = createSequencePages(shards);
      return pages;
    },
    close() {
      sharing?.then((slots) => slots.close()).catch(() => {});
    },
  };

  async function share(memory: WorkerMemory, log: Logger): Promise<SharedSlots> {
    if (memory.slotsTaken > 0) throw new NearError("sums in memory that is not shared are still being pushed");
    const { folder: memoryFolder, mapper } = options;
    try {
      return await shareSlots({ memory, memoryFolder, mapper, log });
    } catch (error) {
      throw asNearError(error) ?? error;
    }
  }
}
