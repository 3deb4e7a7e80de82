import { ftruncateSync, openSync, readSync } from "node:fs";
import { removeLeftover, writeAll } from "../../shared/durable-file.js";
import { IsobatchError } from "../../shared/errors.js";
import { systemError } from "../../shared/system-errors.js";

/** The bytes of a file of JSON objects, one per line; `json-lines.ts` is the file's interface. */

const READ_BYTES = 64 * 1024;
/** The longest line; a longer one was not written by this project. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Writes `bytes` at the end of the file.
 * @throws {IsobatchError} `exhausted` when the disk is full; the file then ends where it did before
 */
export function appendBytes(file: number, bytes: Buffer, at: number, path: string): void {
  try {
    writeAll(file, bytes, at);
  } catch (error) {
    try {
      ftruncateSync(file, at);
    } catch {
      // If this fails too, the torn line is cut off when the file is opened again.
    }
    throw systemError(error, `write ${path}`);
  }
}

/** A new, empty file that is to replace `path`. */
export function openNew(temporary: string, path: string): number {
  try {
    removeLeftover(temporary);
    return openSync(temporary, "wx");
  } catch (error) {
    throw systemError(error, `write ${path}`);
  }
}

export interface FileLine {
  readonly text: string;
  readonly offset: number;
  /** The line's bytes, including its end of line. */
  readonly bytes: number;
}

function readAt(file: number, buffer: Buffer, at: number, path: string): number {
  try {
    return readSync(file, buffer, 0, buffer.length, at);
  } catch (error) {
    throw systemError(error, `read ${path}`);
  }
}

/** The complete lines of a file from byte `offset` on, which starts a line. */
export function* linesFrom(file: number, offset: number, path: string): Generator<FileLine> {
  const buffer = Buffer.alloc(READ_BYTES);
  let parts: Buffer[] = [];
  let start = offset;
  let bytes = 0;
  for (let at = offset; ; ) {
    const got = readAt(file, buffer, at, path);
    if (got === 0) return;
    at += got;
    for (let from = 0; from < got; ) {
      const end = buffer.subarray(0, got).indexOf(10, from);
      const part = buffer.subarray(from, end < 0 ? got : end);
      bytes += part.length;
      if (bytes > LINE_BYTES_MAX) {
        throw new IsobatchError("damaged", `${path} is damaged: its line at byte ${start} has no end.`);
      }
      // The buffer is used again for the next read, so an incomplete line is copied.
      parts.push(Buffer.from(part));
      if (end < 0) break;
      yield { text: Buffer.concat(parts).toString("utf8"), offset: start, bytes: bytes + 1 };
      [parts, start, bytes, from] = [[], start + bytes + 1, 0, end + 1];
    }
  }
}

/** The object in a line; undefined if the line is not a JSON object. */
export function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
