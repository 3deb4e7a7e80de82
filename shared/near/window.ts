/**
 * A part of a WebAssembly memory and the corresponding part of a file. If the window is mapped, the two are the same
 * pages, and everything that one process writes is visible to others. If it is copied, because there is no native code
 * to map with, the numbers are written to the file and read from it by calls. The users of a window do the same in both
 * cases: `put` after changing numbers that others should see, `get` before using what others have changed.
 */
import { readSync, writeSync } from "node:fs";
import { messageOf } from "../errors.js";
import { PAGE_BYTES } from "../kernels/index.js";
import type { FileMapper } from "../native/process-addon.js";
import { NearError } from "./files.js";

/** Windows start at multiples of this in a memory and in a file: it is a multiple of every system's page. */
export { PAGE_BYTES };

export const wholePages = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

export interface WindowOptions {
  readonly memory: WebAssembly.Memory;
  /** The window's start in the memory, in bytes: the start of a page. */
  readonly address: number;
  readonly bytes: number;
  readonly file: number;
  /** The offset of the window's first byte: the start of a page. */
  readonly fileOffset: number;
  readonly writable: boolean;
  /** Undefined: the window is copied. */
  readonly mapper: FileMapper | undefined;
}

export interface Window {
  readonly mapped: boolean;
  /** Makes the memory visible to others, at the offset `at` from the window's start. */
  put(at: number, bytes: number): void;
  /**
   * Updates the memory with what others have put there.
   * @throws {NearError} if the file has become shorter
   */
  get(at: number, bytes: number): void;
  /** Replaces a mapping by empty memory; the file stays open. */
  close(): void;
}

/** @throws {NearError} why the file can't be mapped */
export function openWindow(options: WindowOptions): Window {
  return options.mapper === undefined ? copiedWindow(options) : mappedWindow(options, options.mapper);
}

function mappedWindow(
  { memory, address, bytes, file, fileOffset, writable }: WindowOptions,
  mapper: FileMapper,
): Window {
  // A memory that grows gets a different buffer, but its pages stay in place.
  const pages = new Uint8Array(memory.buffer, address, bytes);
  let mapping: number;
  try {
    mapping = mapper.map(pages, file, fileOffset, writable);
  } catch (error) {
    throw new NearError(messageOf(error), { cause: error });
  }
  return {
    mapped: true,
    put() {},
    get() {
      if (mapper.lost(mapping)) throw cutOff();
    },
    close: () => mapper.unmap(pages),
  };
}

function copiedWindow({ memory, address, file, fileOffset }: WindowOptions): Window {
  const view = (at: number, bytes: number): Uint8Array => new Uint8Array(memory.buffer, address + at, bytes);
  return {
    mapped: false,
    put(at, bytes) {
      for (let done = 0; done < bytes; ) {
        done += writeSync(file, view(at, bytes), done, bytes - done, fileOffset + at + done);
      }
    },
    get(at, bytes) {
      for (let done = 0; done < bytes; ) {
        const read = readSync(file, view(at, bytes), done, bytes - done, fileOffset + at + done);
        if (read === 0) throw cutOff();
        done += read;
      }
    },
    close() {},
  };
}

function cutOff(): NearError {
  return new NearError("the other side has made its file shorter");
}
