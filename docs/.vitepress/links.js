// How links of the checkout become links of the site.
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";

export const ROOT = new URL("../../", import.meta.url);

/** The repository's page on the code host, which package.json names. */
export const REPOSITORY = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8"))
  .repository.url.replace(/^git\+/, "")
  .replace(/\.git$/, "");

/** Whether a path from the root of the checkout is a page of the site. */
export const isPage = (path) => /^(docs\/.*|[^/]+)\.md$/.test(path);

/**
 * The site's link for the link `href` on the page `from` (a path from the root of the checkout): a README is its folder's
 * page, and a file that is not a page, such as a source file, is on the code host.
 * @throws {Error} when there is no such file
 */
export function linkTo(from, href) {
  if (/^([a-z]+:|#)/.test(href)) return href;
  const [path, anchor] = href.split("#");
  const target = posix.join(posix.dirname(from), path);
  const hash = anchor === undefined ? "" : `#${anchor}`;
  if (!existsSync(new URL(target, ROOT))) throw new Error(`${from} links to ${href}, which does not exist`);
  if (!isPage(target)) return `${REPOSITORY}/blob/main/${target}${hash}`;
  return path.replace(/README\.md$/, "index.md") + hash;
}

/** A heading's anchor as the code host makes it, so that a link is right in both places. */
export function slugOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}
