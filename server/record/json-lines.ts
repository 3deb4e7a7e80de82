import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { removeLeftover, syncFolder } from "../../shared/durable-file.js";
import { IsobatchError } from "../../shared/errors.js";
import { openRegularFile, regularFileExists } from "../../shared/regular-file.js";
import { systemError } from "../../shared/system-errors.js";
import { appendBytes, type FileLine, linesFrom, openNew, parse } from "./line-file.js";
import { createLineWatchers, type LineListener } from "./line-watchers.js";

/**
 * A file of JSON objects, one per line, that is appended to and watched while it grows. Lines are read back from the
 * file on demand and never kept: memory is one offset per 256 lines, and 256 lines per watcher, however long the run
 * and however slow the watcher.
 *
 * A process that dies leaves at most one torn line at the end; opening the file cuts it off.
 */
export interface JsonLines<Line> {
  readonly path: string;
  /** The number of lines in the file. */
  readonly count: number;
  /** @throws {IsobatchError} `exhausted` when the disk is full; the file then still ends with the previous line */
  append(line: Line): void;
  /** Removes the lines for which `keep` is false: all or none of them if the process dies meanwhile. */
  cut(keep: (line: Line) => boolean): void;
  /**
   * Calls `listener` with the text of each line from number `fromLine` (from 0) on, then with each new one. The next
   * line waits for the promise of the previous one. After a cut it continues with the first line that it has not got. A
   * listener that throws gets no more lines.
   * @returns a function that ends the subscription, and returns the number of the first line that the listener has not got
   */
  subscribe(fromLine: number, listener: LineListener): () => number;
  /** Makes the lines so far survive a power failure. */
  sync(): void;
  close(): void;
}

const MARK_LINES = 256;

export function openJsonLines<Line extends object>(path: string): JsonLines<Line> {
  let { file, index } = openRepaired(path);
  const watchers = createLineWatchers({
    get count() {
      return index.count;
    },
    read: (first) => readFrom(file, index, first, path),
  });

  return {
    path,
    get count() {
      return index.count;
    },
    append(line) {
      const text = JSON.stringify(line);
      const bytes = Buffer.from(`${text}\n`);
      appendBytes(file, bytes, index.length, path);
      index.add(index.length, bytes.length);
      watchers.grown(text);
    },
    cut(keep) {
      const removed = rewrite(file, path, (line) => keep(line as Line));
      closeSync(file);
      ({ file, index } = openRepaired(path));
      watchers.cut(removed);
    },
    subscribe: (fromLine, listener) => watchers.subscribe(fromLine, listener),
    sync() {
      try {
        fdatasyncSync(file);
      } catch (error) {
        throw systemError(error, `write ${path}`);
      }
    },
    close() {
      watchers.clear();
      closeSync(file);
    },
  };
}

/** The positions of the lines of a file. */
interface LineIndex {
  readonly count: number;
  /** In bytes. */
  readonly length: number;
  /** The offsets of every 256th line. */
  readonly marks: readonly number[];
  add(at: number, bytes: number): void;
}

function createLineIndex(): LineIndex {
  const marks: number[] = [];
  let [count, length] = [0, 0];
  return {
    marks,
    add(at, bytes) {
      if (count % MARK_LINES === 0) marks.push(at);
      count += 1;
      length = at + bytes;
    },
    get count() {
      return count;
    },
    get length() {
      return length;
    },
  };
}

/** Opens the file and removes what a process that died may have left: a temporary file, or a torn line at the end. */
function openRepaired(path: string): { file: number; index: LineIndex } {
  removeLeftover(`${path}.tmp`);
  const file = openRegularFile(path, "update");
  const index = createLineIndex();
  let last: FileLine | undefined;
  for (const line of linesFrom(file, 0, path)) {
    if (last !== undefined) index.add(last.offset, last.bytes);
    last = line;
  }
  if (last !== undefined && parse(last.text) !== undefined) index.add(last.offset, last.bytes);
  if (fstatSync(file).size > index.length) ftruncateSync(file, index.length);
  return { file, index };
}

/** Up to `MARK_LINES` lines from number `first` on. */
function readFrom(file: number, { marks, count }: LineIndex, first: number, path: string): string[] {
  const mark = Math.floor(first / MARK_LINES);
  const texts: string[] = [];
  let number = mark * MARK_LINES;
  for (const { text } of linesFrom(file, marks[mark], path)) {
    if (number >= first) texts.push(text);
    number += 1;
    if (texts.length === MARK_LINES || number === count) break;
  }
  return texts;
}

/**
 * Replaces the file with one of the lines that `keep` accepts.
 * @returns the numbers of the other lines
 */
function rewrite(file: number, path: string, keep: (line: object) => boolean): number[] {
  const temporary = `${path}.tmp`;
  const target = openNew(temporary, path);
  const removed: number[] = [];
  try {
    let at = 0;
    let number = -1;
    for (const { text, offset, bytes } of linesFrom(file, 0, path)) {
      number += 1;
      const line = parse(text);
      if (line === undefined) {
        throw new IsobatchError("damaged", `${path} is damaged: at byte ${offset} it has a line that is not JSON.`);
      }
      if (!keep(line)) {
        removed.push(number);
        continue;
      }
      appendBytes(target, Buffer.from(`${text}\n`), at, temporary);
      at += bytes;
    }
    fdatasyncSync(target);
    renameSync(temporary, path);
    syncFolder(dirname(path));
    return removed;
  } catch (error) {
    removeLeftover(temporary);
    throw systemError(error, `write ${path}`);
  } finally {
    closeSync(target);
  }
}

/**
 * All lines of a file that nobody appends to, oldest first; none if the file does not exist. A torn last line is left
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
