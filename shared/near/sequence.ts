/**
 * The sequence of a shard's θ, by which readers see whether θ has changed while they read: odd from the first change of
 * a step, or of a restore, until all of it is of one version again; then the next even number.
 *
 * A reader that knows that sequence n is version s reads while the sequence is n, and has read version s if it is still
 * n.
 */
import { closeSync } from "node:fs";
import { join } from "node:path";
import type { FileMapper } from "../native/process-addon.js";
import { makeFile, openFile } from "./files.js";
import { openWindow, PAGE_BYTES, type Window } from "./window.js";

const SEQUENCE_FILE = "sequence";
const BYTES = 4;

/** Pages of shared memory, each of which holds one sequence: a mapping replaces whole pages. */
export function createSequencePages(count: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: count, maximum: count, shared: true });
}

export interface SequenceWriter {
  /** θ is about to change. */
  moves(): void;
  /** θ is of one version. @returns the sequence to announce to readers */
  settle(): number;
  close(): void;
}

export interface SequenceReader {
  read(): number;
  close(): void;
}

export function makeSequence(options: {
  readonly memoryFolder: string;
  readonly folder: string;
  readonly mapper: FileMapper | undefined;
}): SequenceWriter {
  const { memoryFolder, folder, mapper } = options;
  const memory = createSequencePages(1);
  const file = makeFile(memoryFolder, join(folder, SEQUENCE_FILE), PAGE_BYTES);
  const window = openClosing(file, { memory, address: 0, writable: true, mapper });
  const numbers = new Int32Array(memory.buffer, 0, 1);
  const next = (): number => {
    const now = (Atomics.add(numbers, 0, 1) + 1) | 0;
    window.put(0, BYTES);
    return now;
  };
  const isOdd = (): boolean => (Atomics.load(numbers, 0) & 1) === 1;
  return {
    moves() {
      if (!isOdd()) next();
    },
    settle() {
      // A different number each time, even if nothing has changed: earlier announcements are void.
      if (!isOdd()) next();
      return next();
    },
    close() {
      window.close();
      closeSync(file);
    },
  };
}

/** @param page the page of the memory that shows it */
export function openSequence(options: {
  readonly folder: string;
  readonly memory: WebAssembly.Memory;
  readonly page: number;
  readonly mapper: FileMapper | undefined;
}): SequenceReader {
  const { folder, memory, page, mapper } = options;
  const address = page * PAGE_BYTES;
  const file = openFile(join(folder, SEQUENCE_FILE), "read", PAGE_BYTES);
  const window = openClosing(file, { memory, address, writable: false, mapper });
  const numbers = new Int32Array(memory.buffer, address, 1);
  return {
    read() {
      window.get(0, BYTES);
      return Atomics.load(numbers, 0);
    },
    close() {
      window.close();
      closeSync(file);
    },
  };
}

function openClosing(
  file: number,
  options: Pick<Parameters<typeof openWindow>[0], "memory" | "address" | "writable" | "mapper">,
): Window {
  try {
    return openWindow({ ...options, bytes: PAGE_BYTES, file, fileOffset: 0 });
  } catch (error) {
    closeSync(file);
    throw error;
  }
}
