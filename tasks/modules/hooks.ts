/** Gives Node.js the rules of `redirect.ts`, once per process, in the way that its version has. */
import nodeModule from "node:module";
import { type Importer, marked, type Resolution, redirected } from "./redirect.js";

type Resolve = (specifier: string, context?: Importer) => Resolution;

/** `module.registerHooks` of Node.js 22.15 and later: hooks in the same thread, which `require` follows too. */
interface SynchronousHooks {
  registerHooks?(hooks: { resolve(specifier: string, context: Importer, next: Resolve): Resolution }): unknown;
}

let isInstalled = false;

export function installHooks(): void {
  if (isInstalled) return;
  isInstalled = true;
  const { registerHooks } = nodeModule as unknown as SynchronousHooks;
  if (registerHooks === undefined) nodeModule.register("./hooks-thread.js", import.meta.url);
  else registerHooks({ resolve: resolveNow });
}

function resolveNow(specifier: string, importer: Importer, next: Resolve): Resolution {
  return redirected(specifier, importer) ?? marked(next(specifier, importer), specifier, importer);
}
