// `npm run test:docs`: runs the commands of README.md and docs/, page by page.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const stories = fileURLToPath(new URL("../dist/test/docs/stories.js", import.meta.url));
// Proxies must not stand between a test and its own loopback server.
const { http_proxy, https_proxy, HTTP_PROXY, HTTPS_PROXY, grpc_proxy, ...env } = process.env;
const { status } = spawnSync(process.execPath, ["--test", stories, ...process.argv.slice(2)], {
  stdio: "inherit",
  env,
});
process.exit(status ?? 1);
