import type { Logger } from "../../../shared/log.js";
import type { FileMapper } from "../../../shared/native/process-addon.js";
import { leaveSecret, makeOwnFolder } from "../../../shared/near/index.js";
import { reasonOf } from "../../../shared/system-errors.js";

/** Where and how a server shares memory with workers on its machine. */
export interface NearMemoryOptions {
  /** See `memoryFolderOf`. */
  readonly folder: string;
  /** Undefined if there is no native code to map files: numbers are then copied to and from them. */
  readonly mapper: FileMapper | undefined;
}

/** A shard's folder in memory, by which workers on its machine find it. */
export interface NearFolder extends NearMemoryOptions {
  readonly path: string;
  /** The folder's name in the memory folder. */
  readonly name: string;
  /** A worker that knows it runs on this machine as this user. */
  readonly secret: Buffer;
  close(): void;
}

/** @returns undefined if it cannot be made, with the reason in the log: then all workers use the wire. */
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
    log.info(`No memory is shared with workers on this machine: ${reasonOf(error)}.`);
    return undefined;
  }
}
