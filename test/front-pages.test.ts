// What a contributor and a code host read first, held against the checkout.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(new URL(".", import.meta.url)), "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Every file and folder of the checkout, folders with a slash at the end; neither what is installed nor what is built. */
function pathsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (/^(node_modules|dist|runs|\.git|.*\.tgz)$/.test(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? [`${relative(root, path)}/`, ...pathsIn(path)] : [relative(root, path)];
  });
}

const paths = pathsIn(root);
const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);

/** Whether a path of the checkout is `name`, or ends in it. */
const exists = (name: string): boolean => paths.some((path) => path === name || path.endsWith(`/${name}`));

const PAGES = [
  ...paths.filter((path) => /^[A-Z]+\.md$/.test(path) && !/README|CHANGELOG/.test(path)),
  ...paths.filter((path) => /^docs\/internals\/.*\.md$/.test(path)),
];

describe("pages for contributors", () => {
  for (const page of PAGES) {
    it(`${page} names only files, folders and npm scripts that exist`, () => {
      const text = read(page);
      const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);
      const named = spans.filter((span) => /^[\w./-]+(\.(ts|mjs|cc|proto|py|md)|\/)$/.test(span));
      for (const name of named.filter((each) => !/NAME\.|^dist\/$/.test(each))) {
        assert.ok(exists(name), `${page} names ${name}, which is not in the checkout`);
      }
      for (const [, script] of text.matchAll(/npm run (?:-s )?([a-z:]+)/g)) {
        assert.ok(scripts.includes(script), `${page} names npm run ${script}, which package.json does not have`);
      }
    });
  }
});

describe("docs/internals/state-machines.md", () => {
  it("names the phases of the coordinator and the worker as the code does", () => {
    const page = read("docs/internals/state-machines.md");
    for (const file of ["server/coordinator/core/run.ts", "worker/core/state.ts"]) {
      const code = read(file).replace(/\/\*\*.*?\*\//gs, "");
      const [, union] = /(?:phase: |type Phase =)((?:\s*\|?\s*"\w+")+);/.exec(code)!;
      for (const [, phase] of union.matchAll(/"(\w+)"/g)) {
        assert.ok(page.includes(`**${phase}**`), `the page does not have the phase ${phase} of ${file}`);
      }
    }
  });
});

describe("tables for contributors", () => {
  for (const page of PAGES) {
    it(`of ${page} fit into a terminal`, () => {
      for (const row of read(page)
        .split("\n")
        .filter((line) => line.startsWith("|"))) {
        assert.ok(row.length <= 100, `a row takes ${row.length} columns, 100 at most: ${row}`);
      }
    });
  }
});

describe("ARCHITECTURE.md", () => {
  it("is one page that a terminal shows without wrapping", () => {
    const lines = read("ARCHITECTURE.md").split("\n");
    assert.ok(lines.length <= 151, `${lines.length - 1} lines, 150 at most: details belong into docs/internals/`);
    for (const line of lines)
      assert.ok(line.length <= 100, `a line takes ${line.length} columns, 100 at most: ${line}`);
  });
});

describe("package.json", () => {
  const { repository, bugs, homepage } = JSON.parse(read("package.json")) as {
    repository: { url: string };
    bugs: { url: string };
    homepage: string;
  };
  const [, host, organisation] = /^git\+(https:\/\/[^/]+)\/([\w-]+\/isobatch)\.git$/.exec(repository.url)!;

  it("names the organisation once: bugs and homepage follow the repository", () => {
    assert.deepEqual(
      [bugs.url, homepage],
      [`${host}/${organisation}/issues`, `${host}/${organisation}#readme`],
      "repository, bugs and homepage name different places",
    );
  });

  it("is where code reads it from; a page that shows it shows the same", () => {
    for (const path of paths.filter((each) => /\.(ts|mjs|js|json|ya?ml|md|html)$/.test(each))) {
      for (const [, named] of read(path).matchAll(/https:\/\/github\.com\/([\w-]+\/isobatch)\b/g)) {
        if (/^package(-lock)?\.json$/.test(path)) continue;
        assert.ok(path.endsWith(".md"), `${path} names the repository itself; read it from package.json`);
        assert.equal(named, organisation, `${path} names another repository than package.json`);
      }
    }
  });
});

describe("CHANGELOG.md", () => {
  const lines = read("CHANGELOG.md").split("\n");
  const headings = lines.filter((line) => line.startsWith("#"));

  it("has a part for what is not released yet, then one for each version with its day, the newest first", () => {
    const versions = headings.filter((line) => /^## /.test(line)).slice(1);
    assert.match(headings[1], /^## \[Unreleased\]$/);
    for (const line of versions) assert.match(line, /^## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/);
    const { version } = JSON.parse(read("package.json")) as { version: string };
    assert.ok(
      versions[0].includes(`[${version}]`),
      `the newest version is ${versions[0]}, package.json has ${version}`,
    );
  });

  it("sorts changes by kind, in the order of Keep a Changelog", () => {
    const kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    for (const part of read("CHANGELOG.md").split(/^## /m).slice(1)) {
      const found = [...part.matchAll(/^### (.*)$/gm)].map(([, kind]) => kind);
      assert.deepEqual(
        found,
        kinds.filter((kind) => found.includes(kind)),
        `under ${part.slice(0, 20)}`,
      );
    }
  });

  it("has one line per change, with room for it", () => {
    const changes = lines.slice(lines.findIndex((line) => line.startsWith("### ")));
    for (const line of changes) {
      assert.doesNotMatch(line, /^\s+\S/, "a change continues in a second line");
      assert.ok(line.length <= 160, `a change takes ${line.length} characters, 160 at most: ${line}`);
    }
  });
});
