import { findFileMapper } from "../../shared/native/process-addon.js";
import { makeOwnFolder, memoryFolderOf, roomIn } from "../../shared/near/index.js";
import { reasonOf } from "../../shared/system-errors.js";

export interface SharedMemoryReport {
  readonly folder: string;
  /** Why memory can't be shared there; null if it can. */
  readonly problem: string | null;
  readonly freeBytes: number | null;
  readonly totalBytes: number | null;
  /** Whether native code maps it, so that nothing is copied. */
  readonly mapped: boolean;
}

/** Creates a folder there, as a server and its workers do, and removes it. */
export async function trySharedMemory(variables: Readonly<NodeJS.ProcessEnv>): Promise<SharedMemoryReport> {
  const folder = memoryFolderOf(variables);
  const mapped = findFileMapper(variables) !== undefined;
  try {
    (await makeOwnFolder(folder)).close();
    const { free, total } = roomIn(folder);
    return { folder, problem: null, freeBytes: free, totalBytes: total, mapped };
  } catch (error) {
    return { folder, problem: reasonOf(error), freeBytes: null, totalBytes: null, mapped };
  }
}
