import { type Dirent, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { IsobatchError } from "../../shared/errors.js";
import { systemError } from "../../shared/system-errors.js";
import { RUN_FILES } from "./run-directory.js";

/** Folders inside folders that are looked through, e.g. runs/sweep/learning-rate/1e-3. */
const DEPTH_MAX = 4;

/**
 * The run directories in a folder, or the folder itself if it is one, in the order of their names.
 * @throws {IsobatchError} `invalid_input` if there is no such folder
 */
export function findRuns(folder: string): string[] {
  if (!existsSync(folder)) {
    throw new IsobatchError("invalid_input", `There is no folder ${folder}; isobatch run makes one for its runs.`);
  }
  return runsIn(folder, 0);
}

function runsIn(folder: string, depth: number): string[] {
  if (existsSync(join(folder, RUN_FILES.run))) return [folder];
  if (depth === DEPTH_MAX) return [];
  return foldersIn(folder).flatMap((name) => runsIn(join(folder, name), depth + 1));
}

function foldersIn(folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw systemError(error, `read ${folder}`);
  }
  // Links are not followed: they may lead back.
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
  return folders.map(({ name }) => name).sort();
}
