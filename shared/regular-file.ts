import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats, statSync } from "node:fs";
import { invalid } from "./errors.js";
import { systemError } from "./system-errors.js";

/**
 * Opens files in our own folders, where something else may be instead: a folder, a pipe without a writer, a link to
 * itself. In any case these functions return at once (a pipe is opened without waiting for its other end), with a file
 * or an error of one sentence.
 */

const { O_RDONLY, O_RDWR, O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants;

const FLAGS = {
  read: O_RDONLY,
  /** Made if missing. */
  update: O_RDWR | O_CREAT,
  /** Made if missing, emptied if not. */
  replace: O_WRONLY | O_CREAT | O_TRUNC,
  /** Made if missing; each write goes to the end, even if other processes write too. */
  append: O_WRONLY | O_CREAT | O_APPEND,
} as const;

/**
 * Opens a file.
 * @param mode the permissions of the file, if it is made
 * @throws {IsobatchError} if it can't be opened or is not a regular file; an unchanged ENOENT if nothing has that name
 */
export function openRegularFile(path: string, access: keyof typeof FLAGS, mode?: number): number {
  let file: number;
  try {
    file = openSync(path, FLAGS[access] | O_NONBLOCK | O_NOCTTY, mode);
  } catch (error) {
    if (isMissing(error, path)) throw error;
    throw refusal(error, `open ${path}`, path);
  }
  try {
    checkRegular(path, fstatSync(file));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** The text of a file; undefined if nothing has that name. */
export function readRegularFile(path: string): string | undefined {
  let file: number;
  try {
    file = openRegularFile(path, "read");
  } catch (error) {
    if (isMissing(error, path)) return undefined;
    throw error;
  }
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw systemError(error, `read ${path}`);
  } finally {
    closeSync(file);
  }
}

/**
 * Whether there is a file of that name.
 * @throws {IsobatchError} if something else has it
 */
export function regularFileExists(path: string): boolean {
  try {
    checkRegular(path, statSync(path));
    return true;
  } catch (error) {
    if (isMissing(error, path)) return false;
    throw refusal(error, `look at ${path}`, path);
  }
}

/** Whether the error says that nothing has that name. A link to nothing does have it. */
export function isMissing(error: unknown, path: string): boolean {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") return false;
  try {
    const link = lstatSync(path, { throwIfNoEntry: false });
    return link === undefined || !link.isSymbolicLink();
  } catch {
    return false;
  }
}

function refusal(error: unknown, doing: string, path: string): unknown {
  // If nothing had that name, isMissing() would have found that.
  if ((error as NodeJS.ErrnoException).code === "ENOENT") unfit(path, "a link to nothing");
  return systemError(error, doing);
}

function checkRegular(path: string, found: Stats): void {
  if (!found.isFile()) unfit(path, kindOf(found));
}

function unfit(path: string, kind: string): never {
  return invalid(`${path} is ${kind}, where a file should be. Remove it, or choose another place.`);
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return "a folder";
  if (found.isFIFO()) return "a pipe";
  if (found.isSocket()) return "a socket";
  return "a device";
}
