// Runs the compiled tests with Node's own runner.
//   npm test [-- WORDS…]                every file but NAME.long.test.ts, with a share of the cases of some tables
//   npm run test:all [-- WORDS…]        every file with every case
//   npm run test:all -- --rest          only the files of which npm test leaves something out, with every case
// Words choose the files whose path contains one of them; a word that only long files match chooses those.
// The files are listed here because `node --test` finds files differently in Node 20 and 22.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { chooseTests, testFilesOf } from "../dist/test/source/test-files.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const flags = ["--all", "--rest"];
const [isAll, isRest] = flags.map((flag) => process.argv.includes(flag));
const words = process.argv.slice(2).filter((word) => !flags.includes(word));
const compiled = readdirSync(join(root, "dist"), { recursive: true })
  .map((path) => relative(process.cwd(), join(root, "dist", String(path))))
  .filter((path) => path.endsWith(".test.js"))
  .sort()
  .map((path) => ({ path, text: readFileSync(path, "utf8") }));
const files = chooseTests(testFilesOf(compiled), { all: isAll, rest: isRest, words }).map(({ path }) => path);
if (files.length === 0) {
  console.error(`No test file matches ${words.join(" or ")}; tests are dist/**/*.test.js.`);
  process.exit(1);
}
// No proxy may come between a test and its own loopback server.
const { http_proxy, https_proxy, HTTP_PROXY, HTTPS_PROXY, grpc_proxy, ...env } = process.env;
spawn(process.execPath, ["--test", "--test-concurrency=2", ...files], {
  stdio: "inherit",
  env: isAll || isRest ? { ...env, ISOBATCH_TESTS: "all" } : env,
}).on("exit", (code) => process.exit(code ?? 1));
