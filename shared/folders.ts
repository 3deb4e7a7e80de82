import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { invalid } from "./errors.js";
import { systemError } from "./system-errors.js";

/**
 * Makes a folder and its missing parents, one at a time. (Node's own `recursive` takes every ENOENT for a missing
 * parent, and never ends on a file system that answers ENOENT although the parent exists, such as /proc.)
 * @param mode the permissions of the folders that are made
 * @returns the folders that were made, the outermost first
 * @throws {IsobatchError} why it can't be made
 */
export function makeFolders(path: string, mode?: number): string[] {
  try {
    return makeMissing(resolve(path), mode);
  } catch (error) {
    throw systemError(error, `make the folder ${path}`);
  }
}

function makeMissing(folder: string, mode: number | undefined): string[] {
  if (isFolder(folder)) return [];
  const parent = dirname(folder);
  const made = parent === folder ? [] : makeMissing(parent, mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process may have made it meanwhile.
    if (code === "EEXIST" && isFolder(folder)) return made;
    if (code === "ENOENT" && isFolder(parent)) {
      invalid(`Can't make the folder ${folder}: no folders can be made in ${parent}. Choose another place.`);
    }
    throw error;
  }
  return [...made, folder];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
