import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

export const PRESETS_FOLDER = fileURLToPath(new URL("./presets", import.meta.url));

/** The names of the built-in tasks. */
export function builtInTasks(): string[] {
  return readdirSync(PRESETS_FOLDER)
    .filter((file) => file.endsWith(".json"))
    .map((file) => basename(file, ".json"))
    .sort();
}
