import { closeSync, fchmodSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { IsobatchError, messageOf } from "../shared/errors.js";

/**
 * Files that are there whole or not at all, whenever the machine stops: written under a temporary name, synced,
 * renamed, and the folder synced, because on Linux a rename lives in the folder.
 */

/**
 * Writes `content` to `path`, replacing what was there, and returns when it will survive a power cut.
 * @param content text, or bytes in pieces, which are not copied
 * @param mode of the file, from its first moment on; by default what the process gives to files
 */
export function writeFileDurably(path: string, content: string | readonly Uint8Array[], mode?: number): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, "w", mode);
    try {
      if (mode !== undefined) fchmodSync(file, mode);
      let position = 0;
      for (const piece of typeof content === "string" ? [Buffer.from(content)] : content) {
        writeAll(file, piece, position);
        position += piece.length;
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw diskError(error, `write ${path}`);
  }
}

/** Writes all of `bytes` at `position`: a write to a nearly full disk may take only a part. */
export function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, position + at);
}

/** Makes `path` and its missing parents, each of them surviving a power cut. */
export function makeFolderDurably(path: string): void {
  try {
    const first = mkdirSync(path, { recursive: true });
    if (first === undefined) return;
    for (let folder = path; ; folder = dirname(folder)) {
      syncFolder(dirname(folder));
      if (folder === first || folder === dirname(folder)) return;
    }
  } catch (error) {
    throw diskError(error, `make the folder ${path}`);
  }
}

/** Makes the names in a folder survive a power cut. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * A file system's refusal as a sentence for a person: `exhausted` for a full disk, `invalid_input` for a place that
 * can't be written. Whatever else it is comes back unchanged.
 * @param doing what failed, e.g. `write /runs/a/task.json`
 */
export function diskError(error: unknown, doing: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return new IsobatchError("exhausted", `Can't ${doing}: the disk is full. Free some space and run again.`, {
        cause: error,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
    case "EISDIR":
    case "EEXIST":
    case "ENAMETOOLONG":
      return new IsobatchError("invalid_input", `Can't ${doing}: ${messageOf(error)}. Choose another folder.`, {
        cause: error,
      });
    case "EIO":
      return new IsobatchError("damaged", `Can't ${doing}: the disk reports an error (${messageOf(error)}).`, {
        cause: error,
      });
    default:
      return error;
  }
}
