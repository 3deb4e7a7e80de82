// Runs the compiled tests with Node's own runner: `npm test -- word` runs only the files whose path contains a word.
// With --all (`npm run test:all`) every case of the tables of which `npm test` has time for a share.
// The files are listed here because `node --test` finds files differently in Node 20 and 22.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const all = process.argv.includes("--all");
const words = process.argv.slice(2).filter((word) => word !== "--all");
const files = readdirSync(join(root, "dist"), { recursive: true })
  .map(String)
  .filter((path) => path.endsWith(".test.js"))
  .map((path) => relative(process.cwd(), join(root, "dist", path)))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`No test file matches ${words.join(" or ")}; tests are dist/**/*.test.js.`);
  process.exit(1);
}
// Proxies must not stand between a test and its own loopback server.
const { http_proxy, https_proxy, HTTP_PROXY, HTTPS_PROXY, grpc_proxy, ...env } = process.env;
spawn(process.execPath, ["--test", "--test-concurrency=2", ...files], {
  stdio: "inherit",
  env: all ? { ...env, ISOBATCH_TESTS: "all" } : env,
}).on("exit", (code) => process.exit(code ?? 1));
