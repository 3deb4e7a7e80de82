/** The documentation as programs see it: its commands, its tables and its links. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

/** All pages of a folder of the checkout, relative to the checkout; hidden folders (the site's settings) have none. */
function pagesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".md") && !/(^|\/)(\.|node_modules\/)/.test(name))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/** How the program works inside: for contributors. */
const INTERNAL = /^docs\/internals\//;

/** Pages for users, relative to the checkout. */
export const PAGES: readonly string[] = ["README.md", ...pagesIn("docs").filter((page) => !INTERNAL.test(page))];

/** The page whose commands make a checkout, install the program from it, and train the reader's first model. */
export const INSTALLING_PAGE = "docs/tutorials/getting-started.md";

/** All pages with links: those for users and those for contributors. */
export const LINKING_PAGES: readonly string[] = [
  ...readdirSync(ROOT).filter((name) => name.endsWith(".md")),
  ...pagesIn("docs"),
];

export const read = (page: string): string => readFileSync(join(ROOT, page), "utf8");

export interface DocumentedCommand {
  readonly page: string;
  /** From 1. */
  readonly line: number;
  /** As a shell takes it; several lines where it has a here-document. */
  readonly text: string;
  /** The accuracy in percent that the remark behind the command promises ("at least 95 %"). */
  readonly percentMin?: number;
}

/** How a line of an indented block starts if it is a command and not, for example, a picture. */
const PROGRAMS =
  /^(?:[A-Z_]+=\S+ )*(?:isobatch|npm|npx|node|docker|kubectl|source|tensorboard|python3?|curl|openssl)(?: |$)/;

/**
 * The shell commands of a page: every line of a block that is fenced as `sh`, and the lines of indented blocks that start
 * with a program's name. Two spaces and # start a remark.
 */
export function commandsOf(page: string): DocumentedCommand[] {
  const commands: DocumentedCommand[] = [];
  const lines = read(page).split("\n");
  let fence: string | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const [, opened] = /^```(\w*)$/.exec(line) ?? [];
    if (opened !== undefined) {
      fence = fence === undefined ? opened : undefined;
      continue;
    }
    const isCommand =
      fence === "sh" ? line.trim() !== "" : fence === undefined && /^ {4}\S/.test(line) && PROGRAMS.test(line.trim());
    if (!isCommand) continue;
    const [, percent] = / {2,}#.*\bat least (\d+) %/.exec(line) ?? [];
    const text = [line.trim().replace(/ {2,}#.*$/, "")];
    const first = i;
    const [, end] = /<<'?(\w+)'?/.exec(line) ?? [];
    while (end !== undefined && text.at(-1) !== end) text.push(lines[++i]);
    while (text.at(-1)!.endsWith("\\")) text.push(lines[++i]);
    commands.push({
      page,
      line: first + 1,
      text: text.join("\n").replace(/^npm run -s isobatch -- |^npx isobatch /, "isobatch "),
      ...(percent !== undefined && { percentMin: Number(percent) }),
    });
  }
  return commands;
}

/** The rows of all tables of a page, as cells. */
export function tableRows(page: string): string[][] {
  return read(page)
    .split("\n")
    .filter((line) => /^\|(?! ?-)/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

/** The inline code of a text. */
export function codeIn(text: string): string[] {
  return [...text.replace(/^```.*?^```/gms, "").matchAll(/`([^`]+)`/g)].map(([, code]) => code);
}
