/** The same rules for Node.js 20, which asks for them in another thread, and asynchronously. */
import type { ResolveHook } from "node:module";
import { marked, redirected } from "./redirect.js";

export const resolve: ResolveHook = async (specifier, importer, next) => {
  const found = redirected(specifier, importer) ?? marked(await next(specifier, importer), specifier, importer);
  return found as Awaited<ReturnType<ResolveHook>>;
};
