import { readFileSync } from "node:fs";

/** Where bugs are reported: `bugs.url` of the package's package.json. */
export function bugsUrl(): string {
  const file = new URL("../../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { bugs: { url: string } }).bugs.url;
}
