import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { IsobatchError } from "../../../shared/errors.js";
import { readRegularFile } from "../../../shared/regular-file.js";

/**
 * Locks a folder for this process until the returned function is called. A lock whose process no longer exists is
 * ignored.
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, "installing.lock");
  for (let tries = 0; ; tries++) {
    try {
      const descriptor = openSync(file, "wx");
      writeSync(descriptor, String(process.pid));
      closeSync(descriptor);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || tries > 0) throw error;
      const owner = Number(readRegularFile(file));
      if (owner > 0 && isAlive(owner)) {
        throw new IsobatchError(
          "refused",
          `Process ${owner} is installing TensorFlow in ${folder}; wait until it is done, or end it.`,
        );
      }
      rmSync(file, { force: true });
    }
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
