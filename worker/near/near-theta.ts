/** The θ of a shard of this machine in the worker's memories: the shard's pages are mapped, or its files are copied. */
import { closeSync } from "node:fs";
import { join } from "node:path";
import type { WorkerMemory } from "../../compute/index.js";
import type { ChunkRange } from "../../shared/layout/index.js";
import type { FileMapper } from "../../shared/native/process-addon.js";
import {
  openFile,
  openSequence,
  openWindow,
  PAGE_BYTES,
  type SequenceReader,
  thetaFile,
  thetaParts,
  type Window,
  wholePages,
} from "../../shared/near/index.js";

export interface NearTheta {
  /** Whether all of it is mapped. */
  readonly mapped: boolean;
  /** See `SequenceReader`. */
  sequence(): number;
  /** Copies what is not mapped into θ. */
  fetch(): void;
  /** Replaces the shard's memory by empty memory of the worker. A second call does nothing. */
  close(): void;
}

/** Numbers that are not mapped, in bytes from the start of a file and of a segment's θ. */
interface Copied {
  readonly window: Window;
  readonly at: number;
  readonly bytes: number;
}

/** @throws {NearError} or the system's error if the shard's files can't be used */
export function openTheta(options: {
  /** The shard's folder. */
  readonly folder: string;
  readonly range: ChunkRange;
  readonly memory: Pick<WorkerMemory, "plan" | "memories">;
  /** The page of `pages` where the shard's sequence is shown. */
  readonly page: number;
  readonly pages: WebAssembly.Memory;
  readonly mapper: FileMapper | undefined;
}): NearTheta {
  const { folder, range, memory, page, pages, mapper } = options;
  const { layout } = memory.plan;
  const windows: Window[] = [];
  const files: number[] = [];
  const copied: Copied[] = [];
  let sequence: SequenceReader | undefined;

  const close = (): void => {
    for (const window of windows.splice(0)) window.close();
    for (const file of files.splice(0)) closeSync(file);
    sequence?.close();
    sequence = undefined;
  };
  try {
    sequence = openSequence({ folder, memory: pages, page, mapper });
    for (const { segment, at, bytes } of thetaParts(layout, range)) {
      const file = openFile(join(folder, thetaFile(segment)), "read", wholePages(bytes));
      files.push(file);
      const part = { memory: memory.memories[segment], file, writable: false };
      // A page can't be mapped if another shard's θ starts in it, or if this shard's θ starts in the middle of it.
      const isLast = at + bytes === layout.segments[segment].length * 4;
      const pagesOfOwn = isLast ? wholePages(bytes) : Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES;
      const mappedBytes = mapper === undefined || at % PAGE_BYTES !== 0 ? 0 : pagesOfOwn;
      if (mappedBytes > 0) {
        windows.push(openWindow({ ...part, address: at, bytes: mappedBytes, fileOffset: 0, mapper }));
      }
      if (mappedBytes >= bytes) continue;
      const window = openWindow({ ...part, address: at, bytes, fileOffset: 0, mapper: undefined });
      copied.push({ window, at: mappedBytes, bytes: bytes - mappedBytes });
    }
  } catch (error) {
    close();
    throw error;
  }
  const { read } = sequence;
  return {
    mapped: copied.length === 0,
    sequence: read,
    fetch() {
      for (const { window, at, bytes } of copied) window.get(at, bytes);
    },
    close,
  };
}
