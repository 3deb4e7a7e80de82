import { closeSync } from "node:fs";
import { join } from "node:path";
import type { Chunk, ChunkRange, Layout } from "../../../shared/layout/index.js";
import {
  makeFile,
  makeSequence,
  openWindow,
  type SequenceWriter,
  thetaFile,
  thetaParts,
  type Window,
  wholePages,
} from "../../../shared/near/index.js";
import type { SegmentMemory } from "../slice.js";
import type { NearFolder } from "./near-folder.js";

/**
 * The shard's θ as workers of its machine see it: in files that are the slice's own pages, or copies of them. A
 * sequence says when it moves; between two moves it is of one version, which watchers are told.
 */
export interface NearWeights {
  /** θ is about to change. */
  moves(): void;
  /** The chunk has been updated. */
  wrote(chunk: Chunk): void;
  /** So have all. */
  wroteAll(): void;
  /** All of θ is of this version, until it moves. */
  stands(term: number, version: number): void;
  /** The watcher hears what θ is now, and each time it has another version. @returns the function that ends that */
  watch(watcher: (weights: StandingWeights) => void): () => void;
  close(): void;
}

export interface StandingWeights {
  readonly term: number;
  readonly version: number;
  readonly sequence: number;
}

/** @throws {NearError} if the memory folder has no room for it, or the system's error. */
export function shareWeights(
  near: NearFolder,
  layout: Layout,
  range: ChunkRange,
  memories: readonly Pick<SegmentMemory, "segment" | "memory">[],
): NearWeights {
  const files: number[] = [];
  const windows = new Map<number, { readonly window: Window; readonly offset: number; readonly bytes: number }>();
  const watchers = new Set<(weights: StandingWeights) => void>();
  let sequence: SequenceWriter | undefined;
  let standing: StandingWeights | undefined;

  const close = (): void => {
    for (const { window } of windows.values()) window.close();
    for (const file of files) closeSync(file);
    sequence?.close();
  };
  try {
    sequence = makeSequence({ memoryFolder: near.folder, folder: near.path, mapper: near.mapper });
    for (const { segment, offset, bytes: length } of thetaParts(layout, range)) {
      const bytes = wholePages(length);
      const file = makeFile(near.folder, join(near.path, thetaFile(segment)), bytes);
      files.push(file);
      const { memory } = memories.find((each) => each.segment === segment)!;
      const { mapper } = near;
      const window = openWindow({ memory, address: 0, bytes, file, fileOffset: 0, writable: true, mapper });
      windows.set(segment, { window, offset, bytes: length });
    }
  } catch (error) {
    close();
    throw error;
  }
  const { moves, stands } = sequence;

  return {
    moves() {
      standing = undefined;
      moves();
    },
    wrote({ segment, offset, length }) {
      const part = windows.get(segment)!;
      part.window.put((offset - part.offset) * 4, length * 4);
    },
    wroteAll() {
      for (const { window, bytes } of windows.values()) window.put(0, bytes);
    },
    stands(term, version) {
      standing = { term, version, sequence: stands() };
      for (const watcher of watchers) watcher(standing);
    },
    watch(watcher) {
      watchers.add(watcher);
      if (standing !== undefined) watcher(standing);
      return () => watchers.delete(watcher);
    },
    close,
  };
}
