import type { Logger } from "../../../shared/log.js";
import type { FileMapper } from "../../../shared/native/process-addon.js";
import { leaveSecret, makeOwnFolder } from "../../../shared/near/index.js";
import { reasonOf } from "../../../shared/system-errors.js";

/** Where and how a server shares numbers with workers of its machine. */
export interface NearMemoryOptions {
  /** See `memoryFolderOf`. */
  readonly folder: string;
  /** Undefined: numbers are copied to and from files, since there is no native code to map them. */
  readonly mapper: FileMapper | undefined;
}

/** A shard's own folder in memory, by which workers of its machine find it. */
export interface NearFolder extends NearMemoryOptions {
  readonly path: string;
  /** Its name in the memory folder. */
  readonly name: string;
  /** Workers that know it are of this machine and user. */
  readonly secret: Buffer;
  close(): void;
}

/** @returns undefined if there can't be one, which the log explains: then all workers use the wire. */
export async function openNearFolder(
  memory: NearMemoryOptions | undefined,
  log: Logger,
): Promise<NearFolder | undefined> {
  if (memory === undefined) return undefined;
  try {
    const { path, name, close } = await makeOwnFolder(memory.folder);
    try {
      return { ...memory, path, name, secret: leaveSecret(path), close };
    } catch (error) {
      close();
      throw error;
    }
  } catch (error) {
    log.info(`No memory is shared with workers of this machine: ${reasonOf(error)}.`);
    return undefined;
  }
}
