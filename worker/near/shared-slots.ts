/**
 * A worker's slots where shards of its machine can read them: files that are the pages of its memories, or to which
 * sums are copied before they are pushed. They belong to the memories, and outlive connections.
 */
import { closeSync } from "node:fs";
import { join } from "node:path";
import type { FoldedNode, WorkerMemory } from "../../compute/index.js";
import { failAt } from "../../shared/fail-point.js";
import type { Logger } from "../../shared/log.js";
import type { FileMapper } from "../../shared/native/process-addon.js";
import {
  asNearError,
  lengthenFile,
  makeFile,
  makeOwnFolder,
  openWindow,
  PAGE_BYTES,
  slotsFile,
  sumsAt,
  type Window,
  wholePages,
} from "../../shared/near/index.js";

export interface SharedSlots {
  /** The name of the worker's folder in the memory folder. */
  readonly folder: string;
  /** The number of slots that are shared; for those after them there was no room. */
  readonly count: number;
  readonly mapped: boolean;
  /** Calls `listener` when more slots are shared. @returns a function that removes the listener */
  onGrown(listener: (count: number) => void): () => void;
  /** Lets shards see the sums of a node, in chunks [firstChunk, endChunk). */
  put(node: FoldedNode, firstChunk: number, endChunk: number): void;
  close(): void;
}

interface SlotsFile {
  readonly file: number;
  bytes: number;
  readonly windows: Window[];
}

/**
 * To be called while no slot is taken: the content of the slots is lost.
 * @throws {NearError} if the memory folder has no room, or the system's error
 */
export async function shareSlots(options: {
  readonly memory: WorkerMemory;
  readonly memoryFolder: string;
  readonly mapper: FileMapper | undefined;
  readonly log: Logger;
}): Promise<SharedSlots> {
  const { memory, memoryFolder, mapper, log } = options;
  const { plan, memories } = memory;
  const folder = await makeOwnFolder(memoryFolder);
  const files: SlotsFile[] = [];
  const listeners = new Set<(count: number) => void>();
  let count = 0;
  let full = false;

  /** Shares the slots from the last shared one on. */
  const grow = (wanted: number): void => {
    for (const [i, each] of files.entries()) {
      const { slot, slotsAt } = plan.segments[i];
      const bytes = wholePages(wanted * slot.bytes);
      if (bytes > each.bytes) lengthenFile(memoryFolder, each.file, each.bytes, bytes);
      each.bytes = Math.max(each.bytes, bytes);
      const from = Math.floor((count * slot.bytes) / PAGE_BYTES) * PAGE_BYTES;
      const window = { memory: memories[i], address: slotsAt + from, bytes: bytes - from, file: each.file };
      if (bytes > from) each.windows.push(openWindow({ ...window, fileOffset: from, writable: true, mapper }));
    }
    count = wanted;
    for (const listener of listeners) listener(count);
  };

  const close = (): void => {
    full = true;
    for (const { file, windows } of files) {
      for (const window of windows) window.close();
      closeSync(file);
    }
    folder.close();
  };

  try {
    for (const i of plan.segments.keys()) {
      files.push({ file: makeFile(memoryFolder, join(folder.path, slotsFile(i)), 0), bytes: 0, windows: [] });
    }
    if (memory.slots > 0) grow(memory.slots);
  } catch (error) {
    close();
    throw error;
  }
  memory.onGrown((slots) => {
    if (full) return;
    try {
      grow(slots);
    } catch (error) {
      const why = asNearError(error);
      if (why === undefined) throw error;
      full = true;
      log.warn(`Only ${count} of this worker's sums can be shared, and others go over the wire: ${why.message}.`);
    }
  });

  return {
    folder: folder.name,
    get count() {
      return count;
    },
    mapped: mapper !== undefined,
    onGrown(listener) {
      listeners.add(listener);
      if (count > 0) listener(count);
      return () => listeners.delete(listener);
    },
    put({ slot, lo, hi }, firstChunk, endChunk) {
      if (mapper !== undefined) return;
      for (const chunk of plan.layout.chunks.slice(firstChunk, endChunk)) {
        if (chunk.kind === "frozen") continue;
        const { windows } = files[chunk.segment];
        const shape = plan.segments[chunk.segment].slot;
        const put = (sum: "s1" | "s2"): void => windows[0].put(sumsAt(shape, slot, sum, chunk), 4 * chunk.length);
        put("s1");
        failAt("near.put");
        if (hi - lo > 1 && chunk.kind === "parameter") put("s2");
      }
    },
    close,
  };
}
