import type { SourceFile } from "./sources.js";

export interface FoundFunction {
  /** "path name", or "path line n" where the name is on another line. */
  readonly at: string;
  readonly lines: number;
}

/**
 * The functions of a file that the formatter has laid out: each starts on a line that ends with the brace of its body,
 * and ends on the next line of the same indentation that starts with a brace.
 */
export function functionsOf({ path, text }: SourceFile): FoundFunction[] {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    if (!/(=> \{|\)(: [^=]*)? \{)$/.test(line) || /^\s*(\} )?(if|for|while|switch|else|catch)\b/.test(line)) return [];
    const indentation = /^ */.exec(line)![0];
    const length = lines.slice(i + 1).findIndex((other) => other.startsWith(`${indentation}}`)) + 2;
    const name = /(\w+)\s*(?:<.*)?\(/.exec(line.replace(/\b(async|export|default|function|const)\b/g, ""))?.[1];
    return [{ at: `${path} ${name ?? `line ${i + 1}`}`, lines: length }];
  });
}
