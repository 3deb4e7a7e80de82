// Packs the package, installs the tarball in an empty folder as a user would, follows the links of its pages, trains 20
// steps with it, and its examples as a user's own tasks; then, against the TensorFlow that ISOBATCH_TENSORFLOW has here,
// makes the native backend ready there and trains 5 steps on it.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), "isobatch-package-"));
// The user has no TensorFlow yet, even if this machine does.
const env = { ...process.env, ISOBATCH_TENSORFLOW: join(folder, "tensorflow") };
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

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
        !/^(dist|docs|examples)\/|^(package\.json|LICENSE|[A-Z]+\.md)$/.test(path) ||
        /\.test\.|tsbuildinfo|^dist\/(test|bench)\/|\/\./.test(path),
    );
  check(stray.length === 0, `the tarball has files that a user does not need: ${stray.slice(0, 5).join(", ")}`);

  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  run("npm", ["install", "--silent", "--no-audit", "--no-fund", `./${filename}`], folder);
  const installed = JSON.parse(readFileSync(join(folder, "node_modules/isobatch/package.json"), "utf8"));
  check(!("@tensorflow/tfjs-node-gpu" in installed.dependencies), "the package depends on tfjs-node-gpu");
  const { packages } = JSON.parse(readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8"));
  // The install script of protobufjs only compares version numbers; those of TensorFlow's packages download a libtensorflow.
  const scripted = Object.keys(packages).filter((path) => packages[path].hasInstallScript && !/protobufjs$/.test(path));
  check(scripted.length === 0, `these packages run a script when they are installed: ${scripted.join(", ")}`);
  const links = followLinks(join(folder, "node_modules/isobatch"));
  run("npx", ["isobatch", "run", "mnist", "--steps", "20", "--out", "run"], folder);
  const summary = JSON.parse(readFileSync(join(folder, "run/summary.json"), "utf8"));
  check(summary.steps === 20 && /^[0-9a-f]{64}$/.test(summary.stateHash), "the run left no summary of 20 steps");
  check(readFileSync(join(folder, "run/report.html"), "utf8").includes("uPlot"), "the report has no curves");
  cpSync(join(folder, "node_modules/isobatch/examples"), folder, { recursive: true });
  for (const task of ["spirals/task.js", "small-mnist.json"]) {
    run("npx", ["isobatch", "run", task, "--steps", "5", "--out", "example"], folder);
    check(
      JSON.parse(readFileSync(join(folder, "example/summary.json"), "utf8")).steps === 5,
      `${task} left no summary`,
    );
    rmSync(join(folder, "example"), { recursive: true });
  }
  const native = trainNatively();
  console.log(
    `${files.length} files, ${(size / 1e6).toFixed(2)} MB packed; ${links} links; 20 steps, stateHash ` +
      `${summary.stateHash}; ${native}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Every relative link of the packed pages, images included, leads to a packed file.
 * @returns how many there are
 */
function followLinks(installed) {
  const pages = readdirSync(installed, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md"));
  for (const page of ["README.md", "CHANGELOG.md", "docs/README.md"])
    check(pages.includes(page), `${page} is not packed`);
  let links = 0;
  for (const page of pages) {
    const text = readFileSync(join(installed, page), "utf8").replace(/^```.*?^```/gms, "");
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)[^)]*\)/g)) {
      if (/^([a-z]+:|#)/.test(target)) continue;
      links += 1;
      const [path] = target.split("#");
      check(existsSync(join(installed, dirname(page), path)), `${page} links to ${target}, which is not packed`);
    }
  }
  return links;
}

/** @returns a summary in words. */
function trainNatively() {
  const here = process.env.ISOBATCH_TENSORFLOW;
  const file = here && join(here, "cpu", "installation.json");
  if (!file || !existsSync(file)) return "native backend not tried: ISOBATCH_TENSORFLOW names no installation";
  const { python, tensorflowVersion } = JSON.parse(readFileSync(file, "utf8"));
  run("npx", ["isobatch", "tensorflow", "install", "--python", python], folder);
  run("npx", ["isobatch", "run", "mnist", "--steps", "5", "--backend", "tfjs-node", "--out", "native"], folder);
  const { steps } = JSON.parse(readFileSync(join(folder, "native/summary.json"), "utf8"));
  check(steps === 5, "the native run left no summary of 5 steps");
  run("npx", ["isobatch", "tensorflow", "remove"], folder);
  check(!existsSync(join(folder, "tensorflow", "cpu")), "removing the installation left files behind");
  check(existsSync(python), "removing the installation also removed a Python that was there before");
  return `5 steps on TensorFlow ${tensorflowVersion}`;
}
