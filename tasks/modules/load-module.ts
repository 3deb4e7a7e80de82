/** A task module: JavaScript, or TypeScript where Node.js runs it. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import { invalid, messageOf } from "../../shared/errors.js";
import { reasonOf } from "../../shared/system-errors.js";
import { installHooks } from "./hooks.js";
import { markedUrl } from "./redirect.js";

/** A module's bytes, hashed, and its default export. */
export interface LoadedModule {
  /** SHA-256, in hexadecimal. */
  readonly hash: string;
  readonly definition: unknown;
}

const TYPESCRIPT = [".ts", ".mts", ".cts"];

/** The endings of task modules' names. */
export const MODULE_EXTENSIONS: readonly string[] = [".js", ".mjs", ".cjs", ...TYPESCRIPT];

/** @throws {IsobatchError} `invalid_input` if it can't be read, or fails */
export async function loadModule(path: string): Promise<LoadedModule> {
  if (TYPESCRIPT.includes(extname(path)) && !runsTypeScript()) {
    invalid(
      `${path} is TypeScript, which Node.js ${process.version} does not run; use Node.js 22.18 or newer, or compile it to JavaScript.`,
    );
  }
  const hash = await hashOf(path);
  installHooks();
  try {
    const module = (await import(markedUrl(pathToFileURL(path).href, hash))) as { default?: unknown };
    return { hash, definition: module.default };
  } catch (error) {
    return invalid(`The task module ${path} can't be loaded: ${messageOf(error)}`, { cause: error });
  }
}

/** Whether this Node.js strips types. */
function runsTypeScript(): boolean {
  return Boolean((process.features as { typescript?: string | false }).typescript);
}

async function hashOf(path: string): Promise<string> {
  try {
    return createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  } catch (error) {
    return invalid(`The task module ${path} can't be read: ${reasonOf(error)}.`, { cause: error });
  }
}
