import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Axis, domainOf, drawFigure, numberText, type SeriesLook } from "./drawing.js";

const LINE: SeriesLook = { color: 0, line: "solid", dots: true };
const axis = (logarithmic: boolean, domain: [number, number]): Axis => ({ label: "x & y", logarithmic, domain });

describe("drawFigure()", () => {
  const draw = (y: Axis, points: [number, number][]): string =>
    drawFigure({
      name: "figure",
      title: "<Title>",
      note: "Note.",
      key: [{ label: "one", look: LINE }],
      panels: [{ title: "panel", x: axis(false, [0, 10]), y, series: [{ look: LINE, points }] }],
    });
  const dots = (svg: string): string[] => [...svg.matchAll(/<circle [^>]*cy="([\d.]+)"/g)].map(([, y]) => y);

  it("places values by their logarithms, and leaves out values without one", () => {
    const svg = draw(axis(true, [1e-4, 1]), [
      [1, 1],
      [2, 1e-2],
      [3, 1e-4],
      [4, 0],
    ]);
    const places = dots(svg).map(Number);
    assert.equal(places.length, 3);
    // 1e-2 is midway, and greater values are higher.
    assert.ok(Math.abs(places[1] - (places[0] + places[2]) / 2) < 0.1 && places[0] < places[2], places.join());
  });

  it("escapes what comes from a task", () => {
    const svg = draw(axis(false, [0, 1]), []);
    assert.ok(!svg.includes("<Title>") && svg.includes("&#60;Title&#62;") && svg.includes("x &#38; y"));
  });
});

describe("domainOf()", () => {
  it("holds all values that can be drawn", () => {
    const [low, high] = domainOf([0, 1e-5, 2, Number.NaN], true);
    assert.ok(low > 4e-6 && low < 1e-5 && high > 2 && high < 5, `${low} to ${high}`);
    assert.deepEqual(domainOf([], true), [0.1, 1]);
  });
});

describe("numberText()", () => {
  for (const [value, text] of [
    [1e-5, "10⁻⁵"],
    [0.003, "3·10⁻³"],
    [0.05, "0.05"],
    [0, "0"],
    [131_072, "131 k"],
    [2_500_000, "2.5 M"],
  ] as const) {
    it(`writes ${value} as ${text}`, () => assert.equal(numberText(value), text));
  }
});
