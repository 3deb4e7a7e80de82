import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeUtf8 } from "./utf8.js";

const decode = (...parts: (string | number[])[]): string =>
  decodeUtf8(Buffer.concat(parts.map((part) => Buffer.from(part as string))), "file.txt");

describe("decodeUtf8()", () => {
  it("decodes text, without a byte order mark", () => {
    assert.equal(decode("größer 😀\n"), "größer 😀\n");
    assert.equal(decode("\ufeffa\ufeffb"), "a\ufeffb");
    assert.equal(decode(""), "");
  });

  // The offsets follow from the parts.
  const faults: [string, (string | number[])[], RegExp][] = [
    [
      "a byte of Latin-1",
      ["ab\ncd", [0xe4], "r"],
      /^file\.txt, line 2: byte 3 of the line is 0xE4, after "cd", and not UTF-8;/,
    ],
    ["a byte that no character starts with", ["ä", [0xff]], /line 1: byte 3 of the line is 0xFF, after "ä"/],
    ["a byte that only continues a character", [[0x80]], /line 1: byte 1 of the line is 0x80 and not UTF-8/],
    ["a character that the end cuts off", ["a\n", [0xf0, 0x9f, 0x98]], /line 2: byte 1 of the line is 0xF0 and/],
    ["a surrogate", ["ab", [0xed, 0xa0, 0x80], "c"], /line 1: byte 3 of the line is 0xED/],
    ["a character in more bytes than it needs", ["ab", [0xc0, 0xaf]], /line 1: byte 3 of the line is 0xC0/],
    [
      "UTF-16, little end first",
      [[0xff, 0xfe, 0x61, 0]],
      /^file\.txt is text in UTF-16 \(it starts with .* 0xFF 0xFE\); .*iconv -f UTF-16 /,
    ],
    ["UTF-16, big end first", [[0xfe, 0xff, 0, 0x61]], /text in UTF-16 \(it starts with .* 0xFE 0xFF\)/],
    ["UTF-32", [[0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]], /text in UTF-32/],
    ["UTF-16 without a mark", ["a\0\n\0b\0"], /line 1: byte 2 is 0, which text never contains; the file is UTF-16/],
  ];
  for (const [name, parts, message] of faults) {
    it(`refuses ${name}`, () => assert.throws(() => decode(...parts), { code: "invalid_input", message }));
  }

  it("finds the first bad byte wherever it is", () => {
    const text = "aä€😀\n".repeat(20);
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      const isBoundary = at === bytes.length || (bytes[at] & 0xc0) !== 0x80;
      if (!isBoundary) continue;
      const line = [...bytes.subarray(0, at)].filter((byte) => byte === 10).length + 1;
      const broken = Buffer.concat([bytes.subarray(0, at), Buffer.of(0xfc), bytes.subarray(at)]);
      const column = at - (bytes.subarray(0, at).lastIndexOf(10) + 1) + 1;
      assert.throws(
        () => decodeUtf8(broken, "f"),
        new RegExp(`^IsobatchError: f, line ${line}: byte ${column} of the line is 0xFC`),
      );
    }
  });
});
