import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "./folders.js";
import { systemError } from "./system-errors.js";

/**
 * Files that exist completely or not at all, even if the machine stops at any moment: written under a temporary name,
 * synced, renamed, and the folder synced, because on Linux a rename is stored in the folder.
 */

/**
 * Writes `content` to `path`, replacing an existing file, and returns when it will survive a power cut.
 * @param content text, or bytes in pieces, which are not copied
 * @param mode the permissions of the file, from its creation on; by default those that the process gives to files
 */
export function writeFileDurably(path: string, content: string | readonly Uint8Array[], mode?: number): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    // A killed process with the same id may have left a file there; a new file can't be a pipe or a link to another
    // place.
    removeLeftover(temporary);
    const file = openSync(temporary, "wx", mode);
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
    removeLeftover(temporary);
    throw systemError(error, `write ${path}`);
  }
}

/** Removes a temporary file or anything in its place. If that fails, the next operation fails too, with the reason. */
export function removeLeftover(temporary: string): void {
  try {
    rmSync(temporary, { force: true, recursive: true });
  } catch {
    // For example, the file system is read-only.
  }
}

/** Writes all of `bytes` at `position`: a write to a nearly full disk may take only a part. */
export function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, position + at);
}

/** Makes `path` and its missing parents, each of which will survive a power cut. */
export function makeFolderDurably(path: string): void {
  for (const made of makeFolders(path)) {
    try {
      syncFolder(dirname(made));
    } catch (error) {
      throw systemError(error, `make the folder ${path}`);
    }
  }
}

/** Syncs a folder, so that the names in it survive a power cut. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
