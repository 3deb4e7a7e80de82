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

  it("is the only file that names it, with the page that says so", () => {
    const text = /\.(ts|mjs|js|json|ya?ml|md|html)$/;
    const naming = paths.filter((path) => text.test(path) && read(path).includes(organisation));
    assert.deepEqual(
      naming.filter((path) => path !== "package-lock.json"),
      ["RELEASING.md", "package.json"],
      `${organisation} belongs into package.json, from where everything else reads it`,
    );
  });
});
