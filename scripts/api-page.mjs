// docs/reference/api.md, made of what api-extractor has read.

const INTRO = `# Public API

<!-- Written by npm run api, from the comments in index.ts and api/types/. -->

Everything that \`import … from "isobatch"\` gives. [Train from a program](../how-to/train-from-a-program.md) shows how the parts
work together, and [Versions](../versioning.md) says what stays as it is. Numbers are in the units that their names or descriptions
say; arrays have the length and order that their description says. Whatever a person can correct is thrown as an
[IsobatchError](#isobatcherror).
`;

/** @param model the content of an .api.json file */
export function referencePage(model) {
  const members = model.members[0].members;
  const functions = members.filter(({ kind }) => kind === "Function");
  const rest = members.filter(({ kind }) => kind !== "Function");
  const order = ["train", "serve", "join", "evaluate", "predict", "loadRun", "exportModel", "defineTask", "experiment"];
  functions.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name) || a.overloadIndex - b.overloadIndex);
  return `${[
    INTRO,
    "## Functions\n",
    ...order.map((name) => functionSection(functions.filter((one) => one.name === name))),
    "## Types\n",
    ...rest.sort((a, b) => (a.name < b.name ? -1 : 1)).map(typeSection),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

function functionSection(overloads) {
  const [{ name, docComment }] = overloads;
  const { text, tags } = comment(docComment);
  const signatures = overloads.map((one) => code(one).replace(/^export (declare )?/, ""));
  const parameters = tags
    .filter(({ tag }) => tag === "param")
    .map(({ text: words }) => {
      const [, parameter, meaning] = /^(\w+)\s+(?:- )?([\s\S]*)$/.exec(words);
      return `- \`${parameter}\`: ${flat(meaning)}`;
    });
  const errors = tags.filter(({ tag }) => tag === "throws").map(({ text: words }) => `Throws ${linked(flat(words))}.`);
  const examples = tags.filter(({ tag }) => tag === "example").map(({ text: words }) => words.trim());
  return [
    `### ${name}()`,
    ["```ts", ...signatures, "```"].join("\n"),
    linked(text),
    ...(parameters.length === 0 ? [] : [parameters.join("\n")]),
    ...errors,
    ...examples,
  ]
    .map((part) => `${part}\n`)
    .join("\n");
}

function typeSection(member) {
  const { name, kind, docComment, members = [] } = member;
  const { text } = comment(docComment);
  const fields = members.filter((one) => one.name !== undefined && !one.name.startsWith("("));
  const body =
    kind === "Interface" || kind === "Class"
      ? table(fields)
      : ["```ts", code(member).replace(/^export (declare )?/, ""), "```"].join("\n");
  const base = (member.extendsTokenRanges ?? []).map(({ startIndex, endIndex }) =>
    tokens(member, startIndex, endIndex).trim(),
  );
  const all =
    base.length === 0
      ? []
      : [`Has all fields of ${base.map((one) => `[${one}](#${one.toLowerCase()})`).join(" and ")}, and:`];
  return [`### ${name}`, linked(text), ...(kind === "Interface" ? all : []), body]
    .map((part) => `${part}\n`)
    .join("\n");
}

function table(fields) {
  const rows = fields.map((field) => {
    const { text } = comment(field.docComment);
    return `| \`${signature(field)}\` | ${linked(flat(text)).replaceAll("|", "\\|")} |`;
  });
  return ["| member | meaning |", "| --- | --- |", ...rows].join("\n");
}

/** A member in one line, with its type where that is short. */
function signature(field) {
  const text = flat(code(field).replace(/\/\*\*[\s\S]*?\*\//g, ""))
    .replace(/^readonly /, "")
    .replace(/^get (\w+)\(\)/, "$1")
    .replace(/;$/, "");
  const short = text.length <= 90 ? text : `${field.name}${field.isOptional ? "?" : ""}: …`;
  return short.replaceAll("|", "\\|");
}

const code = ({ excerptTokens }) =>
  excerptTokens
    .map(({ text }) => text)
    .join("")
    .trim();

const tokens = ({ excerptTokens }, start, end) =>
  excerptTokens
    .slice(start, end)
    .map(({ text }) => text)
    .join("");

const flat = (text) => text.trim().replace(/\s+/g, " ");

/** Names of the API that a comment links to become links. */
const linked = (text) =>
  text
    .replace(/\{@link (\w+)\}/g, (_, name) => `[${name}](#${name.toLowerCase()})`)
    .replace(/\bIsobatchError\b(?![\]`])/g, "[IsobatchError](#isobatcherror)");

/** A doc comment without its frame: the text before the first tag, and the tags. */
function comment(source = "") {
  const lines = source
    .replace(/^\/\*\*|\*\/\s*$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""));
  const tags = [];
  const text = [];
  let fenced = false;
  for (const line of lines) {
    const [, tag, rest] = (!fenced && /^@(\w+)\s*(.*)$/.exec(line)) || [];
    if (line.startsWith("```")) fenced = !fenced;
    if (tag !== undefined) tags.push({ tag, text: rest });
    else if (tags.length > 0) tags.at(-1).text += `\n${line}`;
    else text.push(line);
  }
  return { text: text.join("\n").trim(), tags };
}
