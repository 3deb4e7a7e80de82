import { readFileSync } from "node:fs";

/**
 * Isobatch's version, from its package.json: which is next to `dist` both in a checkout and in the published package.
 */
export const version: string = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
