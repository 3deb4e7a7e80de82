/**
 * One file of events for TensorBoard, which grows while it is watched. Appended events wait in memory for up to a
 * second, and up to 64 KiB of them. A file that can't be written does not stop the run, which has its own metrics: the
 * failure is reported once, and what did not fit is left out.
 */
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { writeAll } from "../../shared/durable-file.js";
import { makeFolders } from "../../shared/folders.js";
import { systemError } from "../../shared/system-errors.js";
import { fileVersion } from "./encode.js";

export interface EventFile {
  append(record: Uint8Array): void;
  /** Writes the events that are waiting. */
  flush(): void;
  /** Writes them and closes the file. */
  close(): void;
}

export interface EventFileOptions {
  /** Made if missing. */
  readonly folder: string;
  /** Called the first time that the file can't be written. */
  onFailed(error: unknown): void;
}

const WAITING_BYTES_MAX = 64 * 1024;
const WAITING_MS_MAX = 1_000;
/** Makes the names of files different that one process opens within a second. */
let filesOpened = 0;

export function openEventFile({ folder, onFailed }: EventFileOptions): EventFile {
  let file: number | undefined;
  let length = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let failed = false;

  const open = (): number => {
    makeFolders(folder);
    return openSync(join(folder, nameOf(Date.now(), filesOpened++)), "wx");
  };

  /** Cuts off the part of a record that did not fit; if that fails, readers take it for the end of the file. */
  const cutBack = (): void => {
    try {
      if (file !== undefined) ftruncateSync(file, length);
    } catch {
      // The disk has failed, which is logged already.
    }
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waitingBytes === 0) return;
    const bytes = Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    try {
      file ??= open();
      writeAll(file, bytes, length);
      length += bytes.length;
    } catch (error) {
      if (!failed) onFailed(systemError(error, `write the events in ${folder}`));
      failed = true;
      cutBack();
    }
  };

  const append = (record: Uint8Array): void => {
    waiting.push(record);
    waitingBytes += record.length;
    if (waitingBytes >= WAITING_BYTES_MAX) flush();
    else timer ??= setTimeout(flush, WAITING_MS_MAX).unref();
  };

  append(fileVersion(Date.now() / 1000));
  return {
    append,
    flush,
    close() {
      flush();
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** TensorBoard looks for "tfevents" and reads a folder's files in the order of their names. */
function nameOf(nowMs: number, number: number): string {
  const seconds = String(Math.floor(nowMs / 1000)).padStart(10, "0");
  return `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${number}`;
}
