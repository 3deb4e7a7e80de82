// The declarations that are packed, as a strict project compiles them.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");

/** The files of the tarball that declare something. */
function packedDeclarations(): string[] {
  const json = execFileSync("npm", ["pack", "--dry-run", "--json", "--silent"], { cwd: root, encoding: "utf8" });
  const [{ files }] = JSON.parse(json) as { files: { path: string }[] }[];
  return files.map(({ path }) => path).filter((path) => /\.d\.ts$/.test(path));
}

describe("a consumer's project", { timeout: 120_000 }, () => {
  let folder: string;
  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "isobatch-consumer-")));
    const installed = join(folder, "node_modules", "isobatch");
    for (const path of ["package.json", ...packedDeclarations()]) {
      mkdirSync(dirname(join(installed, path)), { recursive: true });
      copyFileSync(join(root, path), join(installed, path));
    }
    for (const scope of ["@tensorflow", "@types"]) {
      symlinkSync(join(root, "node_modules", scope), join(folder, "node_modules", scope));
    }
    cpSync(join(root, "test/api/consumer"), folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** The compiler's complaints, by the file that each is about. */
  const complaints = (...options: string[]): string[] => {
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false", ...options], {
      cwd: folder,
      encoding: "utf8",
    });
    return stdout.split("\n").filter((line) => /error TS/.test(line));
  };

  it("compiles in every strict mode, from ES modules and from CommonJS", () => {
    assert.deepEqual(complaints("--skipLibCheck"), []);
  });

  it("needs skipLibCheck only for what TensorFlow.js 4.22.0 declares", () => {
    const foreign = /@tensorflow\/|@webgpu\/|\/typescript[^/]*\/lib\/lib\.dom\.d\.ts/;
    const found = complaints();
    assert.deepEqual(
      found.filter((line) => !foreign.test(line)),
      [],
    );
    // If there are none, docs/reference/api.md and this test ask for too much.
    assert.ok(found.length > 0);
  });

  it("gets declarations of what is public, and of nothing else", () => {
    const inside = packedDeclarations().filter(
      (path) => !/^dist\/(index|api\/types\/\w+|shared\/errors|tasks\/.*)\.d\.ts$/.test(path),
    );
    assert.deepEqual(inside, []);
  });
});
