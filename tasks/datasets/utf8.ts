/** Text files as strict UTF-8: a decoder that replaces what it can't read by U+FFFD makes different words equal. */
import { isUtf8 } from "node:buffer";
import { invalid } from "../../shared/errors.js";

const MARKS: readonly (readonly [encoding: string, bytes: readonly number[]])[] = [
  ["UTF-32", [0xff, 0xfe, 0, 0]],
  ["UTF-32", [0, 0, 0xfe, 0xff]],
  ["UTF-16", [0xff, 0xfe]],
  ["UTF-16", [0xfe, 0xff]],
];
const BYTE_ORDER_MARK = "\ufeff";
const LINE_FEED = 10;
/** The most bytes of the line that are shown before the fault. */
const SHOWN_MAX = 30;

/**
 * @param file its path, for the messages.
 * @param within names what holds the byte at an offset, e.g. `column "y"`.
 * @returns the text without a byte order mark.
 * @throws {IsobatchError} `invalid_input`: where the file stops being UTF-8, and what to do.
 */
export function decodeUtf8(bytes: Uint8Array, file: string, within?: (offset: number) => string | undefined): string {
  for (const [encoding, mark] of MARKS) {
    if (bytes.length >= mark.length && mark.every((byte, i) => bytes[i] === byte)) {
      const marked = mark.map((byte) => hex(byte)).join(" ");
      invalid(
        `${file} is text in ${encoding} (it starts with the byte order mark ${marked}); save it as UTF-8, e.g. with ` +
          `iconv -f ${encoding} -t UTF-8.`,
      );
    }
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) {
    const { line, column } = placeOf(bytes, zero);
    invalid(
      `${file}, line ${line}: byte ${column} is 0, which text never contains; the file is UTF-16, and must be saved as UTF-8 ` +
        "(iconv -f UTF-16 -t UTF-8), or it is not text.",
    );
  }
  if (!isUtf8(bytes)) refuse(bytes, firstFault(bytes), file, within);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function refuse(
  bytes: Uint8Array,
  offset: number,
  file: string,
  within: ((offset: number) => string | undefined) | undefined,
) {
  const { line, column, start } = placeOf(bytes, offset);
  const before = new TextDecoder().decode(bytes.subarray(Math.max(start, offset - SHOWN_MAX), offset));
  const holder = within?.(offset);
  const where = holder === undefined ? "" : ` in ${holder}`;
  const after = before === "" ? "" : `, after ${JSON.stringify(before)},`;
  invalid(
    `${file}, line ${line}: byte ${column} of the line${where} is ${hex(bytes[offset])}${after} and not UTF-8; save the ` +
      "file as UTF-8, e.g. with iconv -f WINDOWS-1252 -t UTF-8 if it was written on Windows in Western Europe.",
  );
}

/** Offset of the first byte that belongs to no character of UTF-8. */
function firstFault(bytes: Uint8Array): number {
  // The longest prefix that is UTF-8, except for a character that is cut at its end.
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isBeginning(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  if (isUtf8(bytes.subarray(0, good))) return good;
  // That character is cut: go back to its first byte.
  let start = good - 1;
  while (start > 0 && (bytes[start] & 0xc0) === 0x80) start--;
  return start;
}

function isBeginning(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Line and byte of the line, both from 1, and where the line starts. */
function placeOf(bytes: Uint8Array, offset: number): { line: number; column: number; start: number } {
  let [line, start] = [1, 0];
  for (let i = 0; i < offset; i++) if (bytes[i] === LINE_FEED) [line, start] = [line + 1, i + 1];
  return { line, column: offset - start + 1, start };
}

function hex(byte: number): string {
  return `0x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
