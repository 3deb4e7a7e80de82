import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { count, duration, measure, percent, plural, wrapText } from "./format.js";
import { table } from "./table.js";

describe("numbers as people read them", () => {
  it("groups thousands", () => assert.equal(count(1234567), "1,234,567"));

  it("rounds measures to about three digits, without exponents where possible", () => {
    const cases: [number, string][] = [
      [0, "0"],
      [12_345, "12,300"],
      [999.6, "1000"],
      [123.4, "123"],
      [12.34, "12.3"],
      [1.234, "1.23"],
      [0.01234, "0.0123"],
      [0.00001234, "1.23e-5"],
      [-2.5, "-2.50"],
      [Number.NaN, "–"],
    ];
    for (const [value, text] of cases) assert.equal(measure(value), text);
  });

  it("writes shares in percent", () => {
    assert.equal(percent(0.97654), "97.65 %");
    assert.equal(percent(0.5, 0), "50 %");
  });

  it("writes a duration in its two largest units", () => {
    const cases: [number, string][] = [
      [0, "0.0 s"],
      [9.94, "9.9 s"],
      [9.96, "10 s"],
      [59.7, "1 min"],
      [200, "3 min 20 s"],
      [7_500, "2 h 5 min"],
      [86_400 * 3 + 3_600 * 4 + 59, "3 d 4 h"],
      [Number.NaN, "–"],
    ];
    for (const [seconds, text] of cases) assert.equal(duration(seconds), text);
  });

  it("has one worker but two workers", () => {
    assert.deepEqual(
      [plural(1, "worker"), plural(2, "worker"), plural(0, "worker")],
      ["1 worker", "2 workers", "0 workers"],
    );
  });
});

describe("wrapText()", () => {
  it("breaks between words and loses none", () => {
    const text = "one two three four five six seven eight nine ten";
    const wrapped = wrapText(text, 14);
    assert.ok(wrapped.split("\n").every((line) => line.length <= 14));
    assert.equal(wrapped.replace(/\n {2}/g, " "), text);
  });

  it("counts what is seen, not what colours it", () => {
    const text = "\x1b[1mone\x1b[22m \x1b[2mtwo\x1b[22m";
    assert.equal(wrapText(text, 7), text);
    assert.equal(wrapText(text, 6), text.replace(" ", "\n  "));
  });

  it("keeps the lines that are there", () => assert.equal(wrapText("a\nb", 80), "a\nb"));
});

describe("table()", () => {
  it("aligns columns and leaves no blanks at the ends of lines", () => {
    assert.deepEqual(table([["a", "bb"], ["ccc"], ["d", "", "e"]]), ["a    bb", "ccc", "d        e"]);
  });
});
