// `npm run test:docs -- [WORDS…]`: runs the commands of README.md and docs/, page by page; words choose pages.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const stories = fileURLToPath(new URL("../dist/test/docs/stories.js", import.meta.url));
// No proxy may come between a test and its own loopback server.
const { http_proxy, https_proxy, HTTP_PROXY, HTTPS_PROXY, grpc_proxy, ...env } = process.env;
const { status } = spawnSync(process.execPath, ["--test", stories], {
  stdio: "inherit",
  env: { ...env, ISOBATCH_TEST_PAGES: process.argv.slice(2).join(" ") },
});
process.exit(status ?? 1);
