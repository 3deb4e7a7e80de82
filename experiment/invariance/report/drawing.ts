/**
 * Small multiples as plain SVG: light and dark by the reader's setting, no script, legible at the width of a page.
 * Scales and their round values are d3-scale's.
 */
import { scaleLinear, scaleLog } from "d3-scale";

export interface Figure {
  /** The file's name, without its extension. */
  readonly name: string;
  readonly title: string;
  /** What the figure shows, in a sentence or two. */
  readonly note: string;
  readonly key: readonly { readonly label: string; readonly look: SeriesLook }[];
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface Axis {
  readonly label: string;
  readonly logarithmic: boolean;
  /** Least and greatest value; above 0 on a logarithmic axis. */
  readonly domain: readonly [number, number];
  /** The values with a mark; by default round values of the domain. */
  readonly marks?: readonly number[];
}

export interface Series {
  readonly look: SeriesLook;
  /** Points [x, y]; values not above 0 are left out on a logarithmic axis. */
  readonly points: readonly (readonly [number, number])[];
}

/**
 * How a series is drawn: its colour, by number from 0 (or the text's), and its parts. The lower the number, the broader the
 * line, so that series on top of each other, as invariant ones should be, all remain visible.
 */
export interface SeriesLook {
  readonly color: number | "text";
  readonly line: "solid" | "dashed" | "wide" | "none";
  readonly dots: boolean;
}

/** Colours that colour-blind people can tell apart: blue, orange, green, violet, red, ochre, grey. */
const LIGHT = ["#2f6bd8", "#d4570b", "#0f8a6d", "#8445c4", "#b8336a", "#8a7000", "#5c6b7a"];
const DARK = ["#6fa5ff", "#ff9a57", "#3fcaa4", "#bd8cff", "#ff7eae", "#dcc04a", "#9fb0c2"];

const WIDTH = 880;
const PANEL_HEIGHT = 230;
const MARGIN = { left: 66, right: 18, top: 34, bottom: 52 };
const KEY_ROW = 22;
/** The approximate width of a letter in the key; the font is not known. */
const LETTER = 6.6;

export function drawFigure(figure: Figure): string {
  const { title, note, panels } = figure;
  const columns = panels.length > 4 ? 3 : [1, 2, 3, 2][panels.length - 1];
  const rows = Math.ceil(panels.length / columns);
  const width = WIDTH / columns;
  const key = keyRows(figure.key);
  const top = 44 + key.length * KEY_ROW;
  const height = top + rows * PANEL_HEIGHT + 6;
  const drawn = panels.map((panel, i) => {
    const [x, y] = [(i % columns) * width, top + Math.floor(i / columns) * PANEL_HEIGHT];
    return `<g transform="translate(${x} ${y})">${drawPanel(panel, width)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${xml(`${title}. ${note}`)}">
<style>${STYLE}</style>
<rect class="paper" width="${WIDTH}" height="${height}" rx="10"/>
<text class="title" x="20" y="28">${xml(title)}</text>
${key.map((row, i) => row.replaceAll("{y}", String(52 + i * KEY_ROW))).join("\n")}
${drawn.join("\n")}
</svg>
`;
}

function drawPanel({ title, x, y, series }: Panel, width: number): string {
  const [left, right] = [MARGIN.left, width - MARGIN.right];
  const [top, bottom] = [MARGIN.top, PANEL_HEIGHT - MARGIN.bottom];
  const toX = scaleOf(x, [left, right]);
  const toY = scaleOf(y, [bottom, top]);
  const parts = [`<text class="panel" x="${left}" y="${top - 12}">${xml(title)}</text>`];
  const yMarks = marksOf(y, 5);
  for (const [i, text] of markTexts(yMarks, y).entries()) {
    const at = fixed(toY(yMarks[i]));
    parts.push(
      `<path class="grid" d="M${left} ${at}H${right}"/><text x="${left - 8}" y="${at}" dy="4" text-anchor="end">${text}</text>`,
    );
  }
  const xMarks = marksOf(x, Math.max(2, Math.floor(width / 130)));
  for (const [i, text] of markTexts(xMarks, x).entries()) {
    const at = fixed(toX(xMarks[i]));
    parts.push(
      `<path class="grid" d="M${at} ${bottom}v5"/><text x="${at}" y="${bottom + 18}" text-anchor="middle">${text}</text>`,
    );
  }
  parts.push(
    `<path class="axis" d="M${left} ${bottom}H${right}"/>`,
    `<text x="${(left + right) / 2}" y="${bottom + 36}" text-anchor="middle">${xml(x.label)}</text>`,
    `<text transform="translate(14 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${xml(y.label)}</text>`,
  );
  const visible = ([a, b]: readonly [number, number]): boolean =>
    (!x.logarithmic || a > 0) && (!y.logarithmic || b > 0) && Number.isFinite(b);
  for (const { look, points } of series) {
    const places = points.filter(visible).map(([a, b]) => [fixed(toX(a)), fixed(toY(b))]);
    if (places.length === 0) continue;
    if (look.line !== "none") {
      const path = places.map(([a, b], i) => `${i === 0 ? "M" : "L"}${a} ${b}`).join("");
      parts.push(`<path ${stroke(look)} d="${path}"/>`);
    }
    if (look.dots) for (const [a, b] of places) parts.push(dot(look, a, b));
  }
  return parts.join("\n");
}

/** The key's entries in lines of the figure's width; `{y}` stands for a line's place. */
function keyRows(key: Figure["key"]): string[] {
  const rows: string[] = [];
  let at = Number.POSITIVE_INFINITY;
  for (const { label, look } of key) {
    const width = 50 + label.length * LETTER;
    if (at + width > WIDTH) {
      rows.push("");
      at = 20;
    }
    const sample = look.line === "none" ? "" : `<path ${stroke(look)} d="M0 -4h24"/>`;
    rows[rows.length - 1] +=
      `<g transform="translate(${at} {y})">${sample}${look.dots ? dot(look, "12", "-4") : ""}<text x="31">${xml(label)}</text></g>`;
    at += width;
  }
  return rows;
}

function dot({ color }: SeriesLook, x: string, y: string): string {
  return `<circle class="c-${color}" cx="${x}" cy="${y}" r="${fixed(2.5 + taper(color))}"/>`;
}

function stroke({ color, line }: SeriesLook): string {
  const name = line === "solid" ? `c-${color}` : `c-${color} ${line}`;
  return line === "wide" ? `class="${name}"` : `class="${name}" stroke-width="${fixed(1.6 + taper(color))}"`;
}

/** 2.4, 2, 1.6, … 0 */
const taper = (color: SeriesLook["color"]): number => (color === "text" ? 0 : Math.max(0, 2.4 - 0.4 * color));

function scaleOf({ logarithmic, domain }: Axis, range: [number, number]): (value: number) => number {
  return (logarithmic ? scaleLog() : scaleLinear()).domain(domain).range(range).clamp(true);
}

function marksOf({ logarithmic, domain, marks }: Axis, count: number): readonly number[] {
  if (marks !== undefined) return marks;
  if (!logarithmic) return scaleLinear().domain(domain).ticks(count);
  const [low, high] = domain.map(Math.log10);
  const powers: number[] = [];
  for (let power = Math.ceil(low - 1e-9); power <= high + 1e-9; power++) powers.push(power);
  const every = Math.ceil(powers.length / 6);
  if (powers.length > 2) return powers.filter((power) => power % every === 0).map((power) => Number(`1e${power}`));
  // Few powers of ten: the round values between them as well.
  const round = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i)
    .flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)))
    .filter((value) => value >= domain[0] * 0.999 && value <= domain[1] * 1.001);
  return round.length > 2 ? round : scaleLinear().domain(domain).ticks(count);
}

/** The smallest domain with all values, and some margin. */
export function domainOf(values: readonly number[], logarithmic: boolean): [number, number] {
  const fit = values.filter((value) => Number.isFinite(value) && (!logarithmic || value > 0));
  if (fit.length === 0) return logarithmic ? [0.1, 1] : [0, 1];
  const [low, high] = [Math.min(...fit), Math.max(...fit)];
  if (logarithmic) {
    const factor = (high / low) ** 0.06 * 1.02;
    return [low / factor, high * factor];
  }
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

/** Smaller numbers are written as powers of ten. */
const SMALL = 9.99e-3;
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 0.00001 as 10⁻⁵, 131,072 as 131 k. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size > 0 && (size < SMALL || size >= 1e7)) return powerText(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(6)));
}

function powerText(value: number): string {
  const exponent = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  const factor = Number((value / Number(`1e${exponent}`)).toPrecision(3));
  return `${factor === 1 ? "" : `${factor}·`}10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** On a logarithmic axis that reaches small numbers all powers of ten are written as such: 10⁻¹ next to 10⁻³. */
function markTexts(marks: readonly number[], { logarithmic }: Axis): string[] {
  const asPowers = logarithmic && marks.some((mark) => mark > 0 && mark < SMALL);
  return marks.map((mark) => (asPowers && mark < 1 ? powerText(mark) : numberText(mark)));
}

const fixed = (value: number): string => String(Math.round(value * 10) / 10);

export function xml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const palette = (colors: readonly string[], text: string): string =>
  [...colors.map((color, i) => [i, color]), ["text", text]]
    .map(([name, color]) => `path.c-${name}{stroke:${color}}circle.c-${name}{fill:${color}}`)
    .join("");

const STYLE = `
.paper{fill:#ffffff}text{fill:#6d6d68;font:12px system-ui,-apple-system,"Segoe UI",sans-serif}
.title{fill:#1d1d1b;font-size:15px;font-weight:600}.panel{fill:#1d1d1b;font-weight:600}
path{fill:none;stroke-linejoin:round}path.grid{stroke:#ecebe6;stroke-width:1}path.axis{stroke:#c9c8c2;stroke-width:1}
path.dashed{stroke-dasharray:5 4}path.wide{stroke-width:9;opacity:0.25}${palette(LIGHT, "#1d1d1b")}
@media (prefers-color-scheme:dark){.paper{fill:#1c1e21}text{fill:#9a9c9f}.title,.panel{fill:#ececea}
path.grid{stroke:#2b2e32}path.axis{stroke:#494c50}${palette(DARK, "#ececea")}}
`;
