/** The same rules for Node.js 20, which asks for them in another thread, and asynchronously. */
import type { ResolveHook } from "node:module";
import { marked, redirected } from "./redirect.js";

export const resolve: ResolveHook = async (specifier, importer, next) => {
  const other = redirected(specifier, importer);
  if (other === undefined) {
    return marked(await next(specifier, importer), specifier, importer) as Awaited<ReturnType<ResolveHook>>;
  }
  if ("url" in other) return { url: other.url, shortCircuit: true };
  return next(specifier, { ...importer, parentURL: other.parentUrl });
};
