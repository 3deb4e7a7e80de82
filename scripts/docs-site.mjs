// `npm run docs:build [-- --base /path/]`: builds the documentation's site into docs/.vitepress/dist, and fails on a link,
// an anchor or an image that leads nowhere. `npm run docs:dev` serves it while pages are edited.
//
// VitePress (MIT, Node.js 18 or newer) has search without a service, checks links, and reads Markdown as it is. It brings
// 125 packages, so it is installed in docs/.vitepress from its own lock file, and only by those who build the site.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const home = join(root, "docs/.vitepress");
const site = join(home, "dist");
const [mode, ...options] = process.argv.slice(2);
const base = options.includes("--base") ? options[options.indexOf("--base") + 1] : "/";

const installed = join(home, "node_modules/.package-lock.json");
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(join(home, "package-lock.json")).mtimeMs) {
  execFileSync("npm", ["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: home,
    stdio: "inherit",
  });
}
execFileSync(join(home, "node_modules/.bin/vitepress"), [mode, "docs", ...options], { cwd: root, stdio: "inherit" });
if (mode === "build") check();

/** What VitePress does not look at: anchors, images, and pages that came out empty. */
function check() {
  const files = readdirSync(site, { recursive: true, encoding: "utf8" });
  const pages = files.filter((name) => name.endsWith(".html") && name !== "404.html");
  const html = new Map(pages.map((page) => [page, readFileSync(join(site, page), "utf8")]));
  const problems = [];
  let links = 0;
  for (const [page, text] of html) {
    if (!/<h1[ >]/.test(text)) problems.push(`${page} has no heading: it was not rendered`);
    for (const [, attribute, target] of text.matchAll(/<(?:a|img)\b[^>]*?\s(href|src)="([^"]*)"/g)) {
      if (/^([a-z]+:|\/\/)/.test(target)) continue;
      links += 1;
      const [path, anchor] = decodeURIComponent(target).split("#");
      const absolute = path.startsWith(base) ? path.slice(base.length) : posix.join(posix.dirname(page), path);
      const name = path === "" ? page : absolute.replace(/(^|\/)$/, "$1index.html");
      if (!files.includes(name)) problems.push(`${page}: ${attribute} ${target} leads nowhere`);
      else if (anchor && !html.get(name)?.includes(`id="${anchor}"`))
        problems.push(`${page}: ${target} has no such heading`);
    }
  }
  for (const problem of problems) console.error(`docs:build: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`${pages.length} pages, ${links} links within the site, in ${site}`);
}
