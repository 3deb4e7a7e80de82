/** Compiles, once, what Debian does not package, from Go modules whose digests are in go.sum. */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { CACHE, ROOT, run } from "./host.js";

const KUBERNETES = "v1.34.4";
const COMPOSE = "v2.40.3";
const FOLDER = join(ROOT, "test/deploy/lab");

/** Kubernetes with CoreDNS and kubectl, in one binary; its first argument says which. */
export function kubernetesBinary(): Promise<string> {
  const [, minor] = /v1\.(\d+)/.exec(KUBERNETES)!;
  const set = (name: string, value: string): string => `-X k8s.io/component-base/version.${name}=${value}`;
  return build(`kubernetes-${KUBERNETES}`, "kubernetes", ".", [
    set("gitVersion", KUBERNETES),
    set("gitMajor", "1"),
    set("gitMinor", minor),
  ]);
}

/** The `docker compose` plugin. */
export function composeBinary(): Promise<string> {
  return build(`docker-compose-${COMPOSE}`, "compose", "github.com/docker/compose/v2/cmd", [
    `-X github.com/docker/compose/v2/internal.Version=${COMPOSE}`,
  ]);
}

async function build(name: string, module: string, packagePath: string, settings: readonly string[]): Promise<string> {
  const binary = join(CACHE, "bin", name);
  if (existsSync(binary)) return binary;
  mkdirSync(join(CACHE, "bin"), { recursive: true });
  const unfinished = `${binary}.${process.pid}`;
  const startedAt = performance.now();
  await run("go", ["build", "-trimpath", "-ldflags", ["-s -w", ...settings].join(" "), "-o", unfinished, packagePath], {
    cwd: join(FOLDER, module),
    // The compiler collects garbage less often: nothing else needs the memory while it runs.
    env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOGC: "300" },
    timeoutMs: 1_800_000,
  });
  renameSync(unfinished, binary);
  console.log(`compiled ${name} in ${Math.round((performance.now() - startedAt) / 1_000)} s`);
  return binary;
}
