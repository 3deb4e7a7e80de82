/** Numbers for people, and lines for terminals. */
import { stripVTControlCharacters } from "node:util";

export { count, duration, measure, percent, plural } from "../../shared/format.js";

/** A text from another machine, without control characters that move the cursor or change colours. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, "");
}

/** The text, cut off after `columns` characters with "…". */
export function cutTo(text: string, columns: number): string {
  const characters = [...text];
  return characters.length <= columns ? text : `${characters.slice(0, Math.max(0, columns - 1)).join("")}…`;
}

/** Breaks a text between words so that no line is longer than `columns`, where that is possible. */
export function wrapText(text: string, columns: number): string {
  return text
    .split("\n")
    .map((line) => {
      let width = 0;
      return line
        .split(" ")
        .map((word, i) => {
          const { length } = stripVTControlCharacters(word);
          const breaks = i > 0 && width + 1 + length > columns;
          width = breaks ? 2 + length : width + length + (i > 0 ? 1 : 0);
          return i === 0 ? word : breaks ? `\n  ${word}` : ` ${word}`;
        })
        .join("");
    })
    .join("\n");
}
