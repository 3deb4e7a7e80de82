import { extname } from "node:path";
import { proseOfCode } from "./prose.js";
import type { SourceFile } from "./sources.js";
import { filesWith } from "./sources.js";
import { WORDS, type Word } from "./word-list.js";

const EXTENSIONS = ["", ".ts", ".mjs", ".js", ".css", ".html", ".md", ".proto", ".py", ".cc", ".sh", ".yml", ".yaml"];

export interface FoundWord {
  readonly path: string;
  readonly line: number;
  readonly found: string;
  readonly word: Word;
}

/** Every file with text that people read, but the list of words itself and the test that quotes it. */
export function readFiles(): SourceFile[] {
  return filesWith(EXTENSIONS).filter(({ path }) => !/^LICENSE|^test\/(source\/word-list|words\.test)\.ts$/.test(path));
}

/** A blank of a pattern may also be the end of a line, with the marks that start the next line of a comment. */
function expression({ pattern }: Word): RegExp {
  return new RegExp(pattern.replaceAll(" ", "(?:\\s+(?:(?:\\*|//|#|>) +)?)"), "g");
}

const EXPRESSIONS = WORDS.map((word) => ({ word, expression: expression(word) }));

/** The words of the list that a file has. */
export function wordsIn({ path, text }: SourceFile): FoundWord[] {
  const prose = [".ts", ".mjs", ".js", ".cc"].includes(extname(path)) ? proseOfCode(text) : text;
  return EXPRESSIONS.flatMap(({ word, expression }) =>
    [...(word.isName ? text : prose).matchAll(expression)].map(({ 0: found, index }) => ({
      path,
      line: text.slice(0, index + found.search(/\S/)).split("\n").length,
      found: found.trim().replace(/\s+/g, " "),
      word,
    })),
  ).sort((a, b) => a.line - b.line);
}
