import { readFileSync } from "node:fs";

/** Isobatch's version, from its package.json: beside `dist` in a checkout and in the published package alike. */
export const version: string = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
