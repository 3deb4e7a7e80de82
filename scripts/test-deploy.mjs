// `npm run test:deploy -- [compose|kubernetes…]`: the images, docker-compose.yml and deploy/kubernetes on a real Docker
// engine and a real Kubernetes node, which it starts and ends itself. Needs root on Debian or Ubuntu, and Go 1.24 or newer.
// What takes long to build is kept in ISOBATCH_DEPLOY_CACHE (default: ~/.cache/isobatch-deploy). With CI set it does less.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PARTS = ["compose", "kubernetes"];
const parts = process.argv.slice(2);
const fail = (sentence) => {
  console.error(`test:deploy: ${sentence}`);
  process.exit(2);
};
const unknown = parts.find((part) => !PARTS.includes(part));
if (unknown !== undefined) fail(`"${unknown}" is not a part; choose from ${PARTS.join(", ")}.`);
if (process.platform !== "linux" || process.getuid() !== 0)
  fail("it starts an engine and a node, and so needs Linux and root.");
const has = (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

const PACKAGES = {
  dockerd: "docker.io",
  docker: "docker.io",
  containerd: "containerd",
  runc: "runc",
  iptables: "iptables",
  nft: "nftables",
  ip: "iproute2",
  nsenter: "util-linux",
  sysctl: "procps",
  openssl: "openssl",
  mmdebstrap: "mmdebstrap",
  etcd: "etcd-server",
};
const missing = new Set(
  Object.keys(PACKAGES)
    .filter((program) => !has(program))
    .map((program) => PACKAGES[program]),
);
if (!existsSync("/usr/lib/cni/bridge")) missing.add("containernetworking-plugins");
if (missing.size > 0) {
  if (!has("apt-get")) fail(`these packages are missing: ${[...missing].join(", ")}; install them.`);
  console.log(`installing ${[...missing].join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["update", "-qq"], { env, stdio: "inherit" });
  execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
const goVersion = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" }).stdout ?? "";
const [, minor = "0"] = /^go1\.(\d+)/.exec(goVersion.trim()) ?? [];
if (Number(minor) < 24)
  fail(`it compiles Compose and Kubernetes, and needs Go 1.24 or newer; here is ${goVersion.trim() || "none"}.`);

const files = (parts.length === 0 ? PARTS : parts).map((part) =>
  relative(process.cwd(), join(root, "dist/test/deploy", `${part}.deploy.js`)),
);
const { http_proxy, https_proxy, HTTP_PROXY, HTTPS_PROXY, grpc_proxy, ...env } = process.env;
const { status } = spawnSync(process.execPath, ["--test", "--test-concurrency=1", ...files], { stdio: "inherit", env });
process.exit(status ?? 1);
