/** The end of the string or template that starts at `start` with `quote`. */
function endOfString(text: string, start: number, quote: string): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === quote) return i + 1;
  }
  return text.length;
}

/** The end of the regular expression that starts at `start`; a slash within brackets does not end it. */
function endOfPattern(text: string, start: number): number {
  let isInBrackets = false;
  for (let i = start + 1; i < text.length && text[i] !== "\n"; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "[") isInBrackets = true;
    else if (text[i] === "]") isInBrackets = false;
    else if (text[i] === "/" && !isInBrackets) return i + 1;
  }
  return start + 1;
}

/** The end of what starts at `start`, and whether people read it. */
function piece(text: string, start: number): { readonly end: number; readonly isProse: boolean } {
  const ending = (mark: string, length: number): number => {
    const found = text.indexOf(mark, start);
    return found < 0 ? text.length : found + length;
  };
  if (text.startsWith("//", start)) return { end: ending("\n", 0), isProse: true };
  if (text.startsWith("/*", start)) return { end: ending("*/", 2), isProse: true };
  const first = text[start];
  if (first === '"' || first === "'" || first === "`") {
    const end = endOfString(text, start, first);
    return { end, isProse: text.slice(start, end).includes(" ") };
  }
  // After a value a slash divides; elsewhere it opens a regular expression.
  if (first === "/" && !/[\w)\]]\s*$/.test(text.slice(Math.max(0, start - 20), start))) {
    return { end: endOfPattern(text, start), isProse: false };
  }
  return { end: start + 1, isProse: false };
}

/**
 * TypeScript, JavaScript or C++ without what only the compiler reads: comments and strings with a space in them stay where
 * they are, all other characters but line ends become spaces.
 */
export function proseOfCode(text: string): string {
  let prose = "";
  for (let start = 0; start < text.length; ) {
    const { end, isProse } = piece(text, start);
    const part = text.slice(start, end);
    prose += isProse ? part : part.replace(/[^\n]/g, " ");
    start = end;
  }
  return prose;
}
