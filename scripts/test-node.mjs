// `npm run test:node -- VERSION [WORDS…]`: runs the tests whose path contains a word on another version of Node.js, whose
// binary comes from its npm package.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [version, ...words] = process.argv.slice(2);
if (!/^\d+(\.\d+)*$/.test(version ?? "")) {
  console.error(`test:node: "${version ?? ""}" is not a version of Node.js; name one, such as 22.`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "isobatch-node-"));
let status = 1;
try {
  const binary = `node-${process.platform}-${process.arch}@${version}`;
  execFileSync("npm", ["install", "--silent", "--no-save", "--ignore-scripts", "--prefix", folder, binary], {
    stdio: "inherit",
  });
  const node = join(folder, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  console.log(execFileSync(node, ["--version"], { encoding: "utf8" }).trim());
  const runner = join(dirname(fileURLToPath(import.meta.url)), "test.mjs");
  const result = spawnSync(node, [runner, ...words], { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  const lines = (result.stdout ?? "").split("\n");
  // Only the totals are shown; everything if a test failed.
  console.log(
    (result.status === 0 ? lines.filter((line) => /^(# |ℹ )/.test(line) && !/Subtest/.test(line)) : lines).join("\n"),
  );
  status = result.status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status);
