import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { IsobatchError } from "../../shared/errors.js";
import { openRegularFile, regularFileExists } from "../../shared/regular-file.js";
import { systemError } from "../../shared/system-errors.js";
import { removeLeftover, syncFolder, writeAll } from "../durable-file.js";

/**
 * A file of JSON objects, a line each, that is appended to and watched while it grows. Lines are read back from the
 * file whenever somebody wants them, never kept: memory is one offset for each 256 lines, and 256 lines for each
 * watcher, however long the run and however slow the watcher.
 *
 * A process that dies leaves at most one torn line at the end; opening the file cuts it off.
 */
export interface JsonLines<Line> {
  readonly path: string;
  /** Lines in the file. */
  readonly count: number;
  /** @throws {IsobatchError} `exhausted` when the disk is full; the file then ends with the line before */
  append(line: Line): void;
  /** Removes the lines that `keep` refuses, all or none of them if the process dies meanwhile. */
  cut(keep: (line: Line) => boolean): void;
  /**
   * Calls `listener` with the text of each line from number `fromLine` (from 0) on, then with each new one. The next
   * line waits for the promise of the one before. After a cut it goes on with whatever has the next number. A
   * listener that throws gets no more.
   * @returns ends the subscription
   */
  subscribe(fromLine: number, listener: LineListener): () => void;
  /** Makes the lines so far survive a power cut. */
  sync(): void;
  close(): void;
}

export type LineListener = (json: string, line: number) => void | Promise<void>;

const MARK_LINES = 256;
const READ_BYTES = 64 * 1024;
/** A longer line is no line of ours. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;

export function openJsonLines<Line extends object>(path: string): JsonLines<Line> {
  let file = -1;
  /** Offset of every 256th line. */
  let marks: number[] = [];
  let count = 0;
  let length = 0;
  const subscribers = new Set<Subscriber>();
  /** Whatever was read before a cut is out of date after it. */
  let cuts = 0;

  interface Subscriber {
    next: number;
    running: boolean;
    readonly listener: LineListener;
  }

  const added = (at: number, bytes: number) => {
    if (count % MARK_LINES === 0) marks.push(at);
    count += 1;
    length = at + bytes;
  };

  const openFile = () => {
    removeLeftover(`${path}.tmp`);
    file = openRegularFile(path, "update");
    [marks, count, length] = [[], 0, 0];
    let last: { offset: number; text: string } | undefined;
    for (const line of linesFrom(file, 0, path)) {
      added(line.offset, line.bytes);
      last = line;
    }
    if (last !== undefined && parse(last.text) === undefined) {
      count -= 1;
      length = last.offset;
      if (count % MARK_LINES === 0) marks.pop();
    }
    if (fstatSync(file).size > length) ftruncateSync(file, length);
  };

  const appendBytes = (target: number, bytes: Buffer, at: number) => {
    try {
      writeAll(target, bytes, at);
    } catch (error) {
      try {
        ftruncateSync(target, at);
      } catch {
        // Then the torn line is cut off when the file is opened again.
      }
      throw systemError(error, `write ${path}`);
    }
  };

  /** Up to `MARK_LINES` lines from number `first` on. */
  const read = (first: number): string[] => {
    const mark = Math.floor(first / MARK_LINES);
    const texts: string[] = [];
    let number = mark * MARK_LINES;
    for (const { text } of linesFrom(file, marks[mark], path)) {
      if (number >= first) texts.push(text);
      number += 1;
      if (texts.length === MARK_LINES || number === count) break;
    }
    return texts;
  };

  const pump = async (subscriber: Subscriber) => {
    if (subscriber.running) return;
    subscriber.running = true;
    try {
      while (subscribers.has(subscriber) && subscriber.next < count) {
        const readAt = cuts;
        for (const text of read(subscriber.next)) {
          const line = subscriber.next;
          subscriber.next += 1;
          await subscriber.listener(text, line);
          if (!subscribers.has(subscriber) || cuts !== readAt) break;
        }
      }
    } catch {
      subscribers.delete(subscriber);
    } finally {
      subscriber.running = false;
    }
  };

  openFile();
  return {
    path,
    get count() {
      return count;
    },
    append(line) {
      const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
      appendBytes(file, bytes, length);
      added(length, bytes.length);
      for (const subscriber of subscribers) void pump(subscriber);
    },
    cut(keep) {
      const temporary = `${path}.tmp`;
      const target = openNew(temporary, path);
      try {
        let at = 0;
        for (const { text, offset, bytes } of linesFrom(file, 0, path)) {
          const line = parse(text);
          if (line === undefined) {
            throw new IsobatchError("damaged", `${path} is damaged: at byte ${offset} it has a line that is not JSON.`);
          }
          if (!keep(line as Line)) continue;
          appendBytes(target, Buffer.from(`${text}\n`), at);
          at += bytes;
        }
        fdatasyncSync(target);
        renameSync(temporary, path);
        syncFolder(dirname(path));
      } catch (error) {
        removeLeftover(temporary);
        throw systemError(error, `write ${path}`);
      } finally {
        closeSync(target);
      }
      closeSync(file);
      openFile();
      cuts += 1;
      for (const subscriber of subscribers) subscriber.next = Math.min(subscriber.next, count);
    },
    subscribe(fromLine, listener) {
      const subscriber: Subscriber = { next: Math.min(fromLine, count), running: false, listener };
      subscribers.add(subscriber);
      void pump(subscriber);
      return () => subscribers.delete(subscriber);
    },
    sync() {
      try {
        fdatasyncSync(file);
      } catch (error) {
        throw systemError(error, `write ${path}`);
      }
    },
    close() {
      subscribers.clear();
      closeSync(file);
    },
  };
}

/** A new, empty file, which is to take the place of `path`. */
function openNew(temporary: string, path: string): number {
  try {
    removeLeftover(temporary);
    return openSync(temporary, "wx");
  } catch (error) {
    throw systemError(error, `write ${path}`);
  }
}

interface FileLine {
  readonly text: string;
  readonly offset: number;
  /** With its end of line. */
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
function* linesFrom(file: number, offset: number, path: string): Generator<FileLine> {
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
      // The buffer is used again for the next read, so what waits for it is copied.
      parts.push(Buffer.from(part));
      if (end < 0) break;
      yield { text: Buffer.concat(parts).toString("utf8"), offset: start, bytes: bytes + 1 };
      [parts, start, bytes, from] = [[], start + bytes + 1, 0, end + 1];
    }
  }
}

/** Undefined when it is no JSON object. */
function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * All lines of a file that nobody appends to, oldest first; none if there is no such file. A torn last line is left
 * out.
 * @throws {IsobatchError} `damaged` on any other line that is not JSON
 */
export function* readJsonLines<Line extends object>(path: string): Generator<Line> {
  if (!regularFileExists(path)) return;
  const file = openRegularFile(path, "read");
  try {
    for (const { text, offset, bytes } of linesFrom(file, 0, path)) {
      const line = parse(text);
      if (line !== undefined) yield line as Line;
      else if (offset + bytes < fstatSync(file).size) {
        throw new IsobatchError("damaged", `${path} is damaged: at byte ${offset} it has a line that is not JSON.`);
      }
    }
  } finally {
    closeSync(file);
  }
}
