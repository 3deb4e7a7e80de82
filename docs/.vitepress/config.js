// The documentation's site: every page of the checkout that people read, with local search. `npm run docs:build`.
import { defineConfig } from "vitepress";
import { linkTo, REPOSITORY, slugOf } from "./links.js";
import { sidebar } from "./sidebar.js";

export default defineConfig({
  title: "Isobatch",
  description: "Neural network training on a cluster of machines, in TypeScript",
  lang: "en",
  head: [["link", { rel: "icon", href: "data:," }]],
  // Pages link to each other as files of the checkout, so the checkout is the source.
  srcDir: "..",
  srcExclude: ["!(docs)/**/*.md"],
  rewrites: { "README.md": "index.md", "docs/README.md": "docs/index.md" },
  // A link that leads nowhere fails the build; scripts/docs-site.mjs checks anchors and images afterwards.
  ignoreDeadLinks: false,
  markdown: {
    anchor: { slugify: slugOf },
    config(markdown) {
      markdown.core.ruler.push("checkout-links", ({ tokens, env }) => {
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          if (token.type === "link_open") token.attrSet("href", linkTo(env.relativePath, token.attrGet("href")));
        }
      });
      // Indented blocks, most of which are commands, look and scroll like fenced ones, and have their button to copy.
      markdown.core.ruler.push("indented-code", ({ tokens }) => {
        for (const token of tokens.filter(({ type }) => type === "code_block")) {
          Object.assign(token, {
            type: "fence",
            tag: "code",
            info: /[│─▶▼←→]/u.test(token.content) ? "text" : "sh",
          });
        }
      });
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Documentation", link: "/docs/" },
      { text: "Changes", link: "/CHANGELOG" },
    ],
    sidebar: sidebar(),
    socialLinks: [{ icon: "github", link: REPOSITORY }],
    editLink: { pattern: `${REPOSITORY}/edit/main/:path`, text: "Edit this page" },
  },
});
