/** The files through which processes of one machine share numbers. */
import { closeSync, constants, fstatSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { reasonOf } from "../system-errors.js";
import { roomIn } from "./folder.js";

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const OWNER_ONLY = 0o600;
const PIECE_BYTES = 2 ** 20;
/** The fraction of the memory folder that is left to others. */
const LEFT_FREE = 1 / 16;

/**
 * Numbers can't be shared here; the message is the reason, as the rest of a sentence. The wire carries them instead.
 */
export class NearError extends Error {
  override readonly name = "NearError";
}

/**
 * The error, if it only means that numbers can't be shared, which includes refusals by the system. Anything else is a
 * bug.
 */
export function asNearError(error: unknown): NearError | undefined {
  if (error instanceof NearError) return error;
  return error instanceof Error && "syscall" in error ? new NearError(reasonOf(error), { cause: error }) : undefined;
}

/** The memory folder is full, which a user can fix: the log warns about it. */
export class NoRoomError extends NearError {}

/**
 * Makes a file of zeros, open for reading and writing.
 * @throws {NoRoomError} if the memory folder has no room for it
 */
export function makeFile(memoryFolder: string, path: string, bytes: number): number {
  const file = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, OWNER_ONLY);
  try {
    lengthenFile(memoryFolder, file, 0, bytes);
    return file;
  } catch (error) {
    closeSync(file);
    rmSync(path, { force: true });
    throw error;
  }
}

/**
 * Appends zeros to a file of `from` bytes. They are written, although ftruncate would be enough: a page that was never
 * written is allocated by the file system when it is first touched through a mapping, and if none is left then, the
 * process is killed.
 * @throws {NoRoomError} if the memory folder has no room for them
 */
export function lengthenFile(memoryFolder: string, file: number, from: number, to: number): void {
  const { free, total } = roomIn(memoryFolder);
  if (to - from > free - total * LEFT_FREE) throw noRoom(memoryFolder, to - from, free);
  const zeros = new Uint8Array(Math.min(PIECE_BYTES, to - from));
  try {
    for (let at = from; at < to; ) at += writeSync(file, zeros, 0, Math.min(PIECE_BYTES, to - at), at);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT" || code === "ENOMEM") throw noRoom(memoryFolder, to - from, free);
    throw error;
  }
}

function noRoom(memoryFolder: string, bytes: number, free: number): NoRoomError {
  const mebibytes = (count: number): string => `${Math.ceil(count / 2 ** 20)} MiB`;
  return new NoRoomError(
    `${memoryFolder} has no room for ${mebibytes(bytes)} more (${mebibytes(free)} are free, a sixteenth of the whole stays free)`,
  );
}

/**
 * Opens a file that another process has made.
 * @throws {NearError} if it is not a file of at least `bytes`; the system's error if it can't be opened
 */
export function openFile(path: string, access: "read" | "update", bytes: number): number {
  const file = openSync(path, (access === "read" ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  const found = fstatSync(file);
  if (found.isFile() && found.size >= bytes) return file;
  closeSync(file);
  throw new NearError(
    found.isFile() ? `${path} has ${found.size} bytes where ${bytes} are needed` : `${path} is not a file`,
  );
}

/** The content of a file that must have exactly this many bytes. */
export function readSmallFile(path: string, bytes: number): Buffer {
  const file = openFile(path, "read", bytes);
  try {
    const content = Buffer.alloc(bytes);
    if (readSync(file, content, 0, bytes, 0) !== bytes) throw new NearError(`${path} is cut off`);
    return content;
  } finally {
    closeSync(file);
  }
}
