/** The typed door to process.cc, whose head says what each function does. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { processAddonOf, type TensorFlowInstallation } from "./installation.js";

export interface ProcessAddon {
  load(library: string): string | undefined;
  exit(code: number): never;
}

/** Undefined where an older Isobatch has made the installation. */
export function loadProcessAddon(installation: Pick<TensorFlowInstallation, "binding">): ProcessAddon | undefined {
  const file = processAddonOf(installation);
  return existsSync(file) ? (createRequire(import.meta.url)(file) as ProcessAddon) : undefined;
}
