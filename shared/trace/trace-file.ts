/**
 * The file of a trace. Several processes of this machine append to it, each in writes that hold whole lines; the system
 * keeps appended writes apart. So whichever process is killed, what it has written stays, and the file, though its array
 * isn't closed, can be read by Perfetto. The process that began it closes it: the whole lines go to a new file, which
 * takes its place, so that a process that writes even now can't spoil it.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { invalid } from "../errors.js";
import { openRegularFile } from "../regular-file.js";
import { systemError } from "../system-errors.js";

export interface TraceFile {
  /** Bytes that this process has written. */
  readonly bytes: number;
  /** Appends whole lines, each an object whose last field is an object, and a comma. */
  append(lines: string): void;
  /** Closes it, and completes the array if this process began it. */
  close(): void;
}

const BEGIN = "[\n";
/** Of a whole line, and of no part of one: its last field is an object. */
const LINE_END = "}},";
const READ_BYTES = 2 ** 20;

/**
 * @param begin whether this process begins the file, and completes it; otherwise it adds to what is there
 * @throws {IsobatchError} if it can't be written, or holds something else
 */
export function openTraceFile(path: string, begin: boolean): TraceFile {
  if (begin) beginFile(path);
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
      // On a line of their own, also behind one that another process was killed in.
      const buffer = Buffer.from(`\n${lines}`);
      try {
        bytes += writeSync(file, buffer);
      } catch (error) {
        throw systemError(error, `write ${path}`);
      }
    },
    close() {
      closeSync(file);
      if (begin) complete(path);
    },
  };
}

/** Empties the file, unless it holds something that is no trace. */
function beginFile(path: string): void {
  try {
    const file = openRegularFile(path, "update");
    try {
      const first = Buffer.alloc(1);
      if (readSync(file, first, 0, 1, 0) > 0 && first.toString() !== BEGIN[0]) {
        invalid(`--trace is ${path}, a file that holds something else than a trace; choose another one.`);
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

/** Puts a file in its place that has its whole lines as a JSON array. */
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
    // So that no character is cut in two.
    const lines = (rest + buffer.toString("latin1", 0, got)).split("\n");
    rest = lines.pop()!;
    const whole = lines.filter((line) => line.startsWith("{") && line.endsWith(LINE_END));
    if (whole.length === 0) continue;
    writeSync(target, Buffer.from(separator + whole.join("\n").slice(0, -1), "latin1"));
    separator = ",\n";
  }
  writeSync(target, separator === BEGIN ? "[]\n" : "\n]\n");
}
