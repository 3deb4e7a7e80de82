/**
 * The file of a trace. Several processes of this machine append to it, each in writes of whole lines, which the system
 * does not mix. So if a process is killed, what it has written is kept, and Perfetto can read the file although its
 * array isn't closed. The process that started the file closes it: the whole lines are written to a new file, which
 * replaces it, so that a process that is still writing can't damage it.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { invalid } from "../errors.js";
import { openRegularFile } from "../regular-file.js";
import { systemError } from "../system-errors.js";

export interface TraceFile {
  /** The number of bytes that this process has written. */
  readonly bytes: number;
  /** Appends whole lines, each an object whose last field is an object, and a comma. */
  append(lines: string): void;
  /** Closes the file, and completes the array if this process started it. */
  close(): void;
}

const BEGIN = "[\n";
/** The end of a whole line, and of no part of one: its last field is an object. */
const LINE_END = "}},";
const READ_BYTES = 2 ** 20;

/**
 * @param isFirst whether this process starts the file, and completes it; otherwise it appends to an existing one
 * @throws {IsobatchError} if it can't be written, or holds something else
 */
export function openTraceFile(path: string, isFirst: boolean): TraceFile {
  if (isFirst) beginFile(path);
  let file: number;
  try {
    file = openRegularFile(path, "append");
  } catch (error) {
    throw systemError(error, `write ${path}`);
  }
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    append(lines) {
      // On a separate line, even after one that another process was killed in.
      const buffer = Buffer.from(`\n${lines}`);
      try {
        bytes += writeSync(file, buffer);
      } catch (error) {
        throw systemError(error, `write ${path}`);
      }
    },
    close() {
      closeSync(file);
      if (isFirst) complete(path);
    },
  };
}

/** Empties the file, unless it holds something other than a trace. */
function beginFile(path: string): void {
  try {
    const file = openRegularFile(path, "update");
    try {
      const first = Buffer.alloc(1);
      if (readSync(file, first, 0, 1, 0) > 0 && first.toString() !== BEGIN[0]) {
        invalid(`--trace is ${path}, a file that holds something other than a trace; choose another one.`);
      }
    } finally {
      closeSync(file);
    }
    const emptied = openRegularFile(path, "replace");
    try {
      writeSync(emptied, BEGIN);
    } finally {
      closeSync(emptied);
    }
  } catch (error) {
    throw systemError(error, `write ${path}`);
  }
}

/** Replaces the file by one that has its whole lines as a JSON array. */
function complete(path: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const source = openRegularFile(path, "read");
    try {
      const target = openSync(temporary, "wx", fstatSync(source).mode);
      try {
        copyWholeLines(source, target);
      } finally {
        closeSync(target);
      }
    } finally {
      closeSync(source);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw systemError(error, `write ${path}`);
  }
}

function copyWholeLines(source: number, target: number): void {
  const buffer = Buffer.alloc(READ_BYTES);
  let rest = "";
  let separator = BEGIN;
  for (let got = readSync(source, buffer); got > 0; got = readSync(source, buffer)) {
    // Latin-1, so that no character is cut in two.
    const lines = (rest + buffer.toString("latin1", 0, got)).split("\n");
    rest = lines.pop()!;
    const whole = lines.filter((line) => line.startsWith("{") && line.endsWith(LINE_END));
    if (whole.length === 0) continue;
    writeSync(target, Buffer.from(separator + whole.join("\n").slice(0, -1), "latin1"));
    separator = ",\n";
  }
  writeSync(target, separator === BEGIN ? "[]\n" : "\n]\n");
}
