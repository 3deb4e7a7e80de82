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
import type { NearVersion } from "../../../shared/wire/index.js";
import type { SegmentMemory } from "../slice.js";
import type { NearFolder } from "./near-folder.js";

/**
 * The shard's θ as workers of its machine see it: in files that are the slice's own pages, or copies of them. A
 * sequence number says when θ is changing; between two changes it is of one version, which watchers are given.
 */
export interface NearWeights {
  /** θ is about to change. */
  startChange(): void;
  /** The chunk has been updated. */
  wrote(chunk: Chunk): void;
  /** All chunks have been updated. */
  wroteAll(): void;
  /** All of θ is of this version until it changes again. */
  setVersion(term: number, version: number): void;
  /** Calls the watcher with the version that θ has now, and with each later one. @returns a function that stops this */
  watch(watcher: (weights: NearVersion) => void): () => void;
  close(): void;
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
  const watchers = new Set<(weights: NearVersion) => void>();
  let sequence: SequenceWriter | undefined;
  let standing: NearVersion | undefined;

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
  const { moves, settle } = sequence;

  return {
    startChange() {
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
    setVersion(term, version) {
      standing = { term, version, sequence: settle() };
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
