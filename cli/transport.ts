import { findFileMapper } from "../shared/native/process-addon.js";
import { memoryFolderOf } from "../shared/near/index.js";
import type { Environment } from "./environment.js";

/** How this process may share memory with others of this machine; undefined: it uses the wire. */
export function memoryOptions({ transport, variables }: Pick<Environment, "transport" | "variables">) {
  if (transport === "wire") return undefined;
  return {
    folder: memoryFolderOf(variables),
    mapper: findFileMapper(variables),
    required: transport === "memory",
  };
}
