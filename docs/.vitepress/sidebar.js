// The sidebar, from the folders of docs/: the order is that of docs/README.md, the titles are the pages' own.
import { readdirSync, readFileSync } from "node:fs";
import { ROOT } from "./links.js";

const GROUPS = [
  ["tutorials", "Tutorials"],
  ["how-to", "How to"],
  ["reference", "Reference"],
  ["explanation", "Explanation"],
  ["internals", "How it works inside"],
];
/** Pages of the root, which are about the project. */
const PROJECT = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "RELEASING.md", "CHANGELOG.md"];

const read = (path) => readFileSync(new URL(path, ROOT), "utf8");
const item = (path) => ({
  text: /^# (.*)$/m.exec(read(path))[1].replaceAll("`", ""),
  link: `/${path.replace(/\.md$/, "")}`,
});
const pagesIn = (folder) =>
  readdirSync(new URL(folder, ROOT))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}${name}`);

export function sidebar() {
  const listed = [...read("docs/README.md").matchAll(/\]\(([\w/-]+\.md)/g)].map(([, path]) => `docs/${path}`);
  const place = (path) => (listed.includes(path) ? listed.indexOf(path) : listed.length);
  const top = pagesIn("docs/").filter((path) => path !== "docs/README.md");
  const folders = readdirSync(new URL("docs/", ROOT), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && pagesIn(`docs/${entry.name}/`).length > 0)
    .map(({ name }) => name);
  const groups = [
    ...GROUPS,
    ...folders.filter((name) => !GROUPS.some(([known]) => known === name)).map((name) => [name, name]),
  ];
  return [
    {
      text: "Isobatch",
      items: [{ text: "Overview", link: "/" }, { text: "All pages", link: "/docs/" }, ...top.map(item)],
    },
    ...groups
      .filter(([name]) => folders.includes(name))
      .map(([name, text]) => ({
        text,
        collapsed: name === "internals",
        items: pagesIn(`docs/${name}/`)
          .sort((a, b) => place(a) - place(b) || a.localeCompare(b))
          .map(item),
      })),
    { text: "The project", collapsed: true, items: PROJECT.map(item) },
  ];
}
