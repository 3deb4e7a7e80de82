/** The sentences of IsobatchErrors in the sources, with "…" for the parts that depend on the case. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_ERRORS } from "../../shared/system-errors.js";
import { ROOT } from "./markdown.test.helper.js";

export interface Message {
  readonly file: string;
  readonly code: string;
  readonly text: string;
}

const ROOMS = ["api", "cli", "server", "viewing", "worker", "compute", "backends", "tasks", "shared", "experiment"];

export function messagesInSources(): Message[] {
  return [...systemMessages(), ...written()];
}

/** One for each row of the table. */
function systemMessages(): Message[] {
  return Object.values(SYSTEM_ERRORS).map(({ code, what, advice }) => {
    return { file: "shared/system-errors.ts", code, text: `Can't …: ${what}. ${advice}` };
  });
}

function written(): Message[] {
  return ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true })
      .map((path) => join(room, String(path)))
      .filter((path) => path.endsWith(".ts") && !/\.test\./.test(path))
      .flatMap((file) => messagesIn(file, readFileSync(join(ROOT, file), "utf8"))),
  );
}

function messagesIn(file: string, source: string): Message[] {
  const found: Message[] = [];
  const calls = /new IsobatchError\(\s*("(\w+)"|[^,]+),\s*|\b(?:invalid|new TooLargeError)\(\s*/g;
  for (const match of source.matchAll(calls)) {
    const text = readText(source, match.index + match[0].length);
    const code = match[2] ?? (match[0].includes("TooLarge") ? "exhausted" : "invalid_input");
    if (text !== "…" && text !== "") found.push({ file, code, text });
  }
  return found;
}

/** A string expression from `at` on: literals joined by +, and templates. Anything else is "…". */
function readText(source: string, at: number): string {
  let text = "";
  for (let i = at; ; ) {
    const quote = source[i];
    if (quote === '"' || quote === "'" || quote === "`") {
      const literal = readLiteral(source, i);
      text += literal.text;
      i = literal.end;
    } else {
      text += "…";
      return text;
    }
    const [joint] = /^\s*\+\s*/.exec(source.slice(i, i + 200)) ?? [];
    if (joint === undefined) return text;
    i += joint.length;
  }
}

function readLiteral(source: string, start: number): { text: string; end: number } {
  const quote = source[start];
  let text = "";
  let i = start + 1;
  while (source[i] !== quote) {
    if (source[i] === "\\") {
      text += source[i + 1];
      i += 2;
    } else if (quote === "`" && source.startsWith("${", i)) {
      i = endOfHole(source, i + 2);
      text += "…";
    } else text += source[i++];
  }
  return { text, end: i + 1 };
}

/** Where the expression in a template ends, whatever templates and braces it has itself. */
function endOfHole(source: string, start: number): number {
  let depth = 1;
  for (let i = start; ; ) {
    const c = source[i];
    if (c === "`" || c === '"' || c === "'") i = readLiteral(source, i).end;
    else {
      if (c === "{") depth += 1;
      if (c === "}") depth -= 1;
      i += 1;
      if (depth === 0) return i;
    }
  }
}
