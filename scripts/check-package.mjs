// Packs the package, installs the tarball in an empty folder as a user would, and trains 20 steps with it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), "isobatch-package-"));
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

function check(holds, message) {
  if (holds) return;
  console.error(`check:package: ${message}`);
  process.exitCode = 1;
}

try {
  run(process.execPath, ["scripts/build.mjs"], root);
  const [{ filename, files, size }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", folder], root));
  const stray = files
    .map(({ path }) => path)
    .filter(
      (path) =>
        !/^(dist\/|package\.json|README\.md|LICENSE|CHANGELOG\.md)/.test(path) ||
        /\.test\.|tsbuildinfo|^dist\/(test|bench)\//.test(path),
    );
  check(stray.length === 0, `the tarball holds what doesn't run: ${stray.slice(0, 5).join(", ")}`);

  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  run("npm", ["install", "--silent", "--no-audit", "--no-fund", `./${filename}`], folder);
  const installed = JSON.parse(readFileSync(join(folder, "node_modules/isobatch/package.json"), "utf8"));
  check(!("@tensorflow/tfjs-node-gpu" in installed.dependencies), "it depends on tfjs-node-gpu");
  run("npx", ["isobatch", "run", "mnist", "--steps", "20", "--out", "run"], folder);
  const summary = JSON.parse(readFileSync(join(folder, "run/summary.json"), "utf8"));
  check(summary.steps === 20 && /^[0-9a-f]{64}$/.test(summary.stateHash), "the run left no summary of 20 steps");
  check(readFileSync(join(folder, "run/report.html"), "utf8").includes("uPlot"), "the report has no curves");
  console.log(`${files.length} files, ${(size / 1e6).toFixed(2)} MB packed; 20 steps, stateHash ${summary.stateHash}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
