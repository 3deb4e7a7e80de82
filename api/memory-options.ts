import { findFileMapper } from "../shared/native/process-addon.js";
import { memoryFolderOf } from "../shared/near/index.js";
import type { Settings } from "./types/run.js";

/** How this process may share memory with others of this machine; undefined: it uses the wire. */
export function memoryOptions(transport: "auto" | "memory" | "wire" = "auto", settings: Settings = {}) {
  if (transport === "wire") return undefined;
  return {
    folder: memoryFolderOf(settings),
    mapper: findFileMapper(settings),
    required: transport === "memory",
  };
}
