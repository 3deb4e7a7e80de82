/**
 * The report's own script: runs in the browser, finds its data in the page and draws each chart into its element.
 * It asks the network for nothing.
 */
import type UPlot from "uplot";
import type { ChartData, CurveData, ReportData } from "../report-data.js";

declare const uPlot: typeof UPlot;

const data = JSON.parse(document.getElementById("data")?.textContent ?? "") as ReportData;
const dark = matchMedia("(prefers-color-scheme: dark)");
const colourOf = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

/** Four figures, or an exponent where those would hide the value. */
function readable(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4) return value.toExponential(2).replace("e-", "e−");
  return size >= 1e4 ? compact.format(value) : String(Number(value.toPrecision(4)));
}

function draw(chart: ChartData, logarithmic: boolean): () => void {
  const place = document.getElementById(chart.id)?.querySelector<HTMLElement>(".plot");
  if (!place) return () => {};
  const withUnit = (value: number | null) =>
    value === null ? "" : `${readable(value)}${chart.unit && ` ${chart.unit}`}`;
  const axis = (values: (list: number[]) => string[]): UPlot.Axis => ({
    stroke: colourOf("--muted"),
    grid: { stroke: colourOf("--grid"), width: 1 },
    ticks: { show: false },
    border: { show: false },
    font: "12px system-ui, sans-serif",
    values: (_, splits) => values(splits),
  });
  const options: UPlot.Options = {
    ...sizeOf(place),
    padding: [12, 16, 0, 0],
    scales: {
      x: { time: false },
      y: logarithmic
        ? { distr: 3, range: (_, min, max) => [roundNumber(min, -1), roundNumber(max, 1)] }
        : { range: { min: { pad: 0.08 }, max: { pad: 0.08 } } },
    },
    axes: [
      { ...axis((splits) => splits.map((value) => compact.format(value))), size: 28 },
      { ...axis((splits) => splits.map((value) => (value === null ? "" : readable(value)))), size: 56 },
    ],
    series: [
      { label: "samples", value: (_, value) => (value === null ? "" : value.toLocaleString("en")) },
      ...chart.curves.map((curve) => seriesOf(curve, withUnit)),
    ],
    cursor: { sync: { key: "samples" }, points: { size: 7 }, dataIdx: nearestPoint, focus: { prox: 1e9 } },
    legend: { markers: { width: 2 } },
  };
  const tables = chart.curves.map(({ x, y }) => [x, y] as unknown as UPlot.AlignedData);
  const plot = new uPlot(options, uPlot.join(tables), place);
  const resized = new ResizeObserver(() => plot.setSize(sizeOf(place)));
  resized.observe(place);
  return () => {
    resized.disconnect();
    plot.destroy();
  };
}

/** The next of …, 1, 2, 5, 10, … below (−1) or above (1) a positive value, so that a logarithmic axis starts at one. */
function roundNumber(value: number, direction: -1 | 1): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const steps = [1, 2, 5, 10].map((factor) => factor * power);
  const next = direction < 0 ? steps.findLast((step) => step <= value) : steps.find((step) => step >= value);
  return next ?? value;
}

function sizeOf(place: HTMLElement): { width: number; height: number } {
  return { width: place.clientWidth, height: Math.round(Math.min(340, Math.max(200, place.clientWidth * 0.45))) };
}

function seriesOf({ label, colour, look }: CurveData, show: (value: number | null) => string): UPlot.Series {
  const stroke = colourOf(`--curve-${colour}`);
  return {
    label,
    stroke: look === "pale" ? `${stroke}55` : stroke,
    width: look === "pale" ? 1 : 2,
    spanGaps: true,
    points: { show: look === "dots", size: 5, fill: stroke },
    ...(look === "steps" && { paths: uPlot.paths.stepped?.({ align: 1 }) }),
    value: (_, value) => show(value),
  };
}

/** Curves have points at different places; the legend shows each one's nearest to the cursor. */
function nearestPoint(plot: UPlot, series: number, hovered: number): number {
  const [x, values] = [plot.data[0], plot.data[series]];
  if (series === 0 || values[hovered] != null) return hovered;
  let [left, right] = [hovered, hovered];
  while (left >= 0 && values[left] == null) left -= 1;
  while (right < values.length && values[right] == null) right += 1;
  if (left < 0) return right < values.length ? right : hovered;
  return right >= values.length || x[hovered] - x[left] <= x[right] - x[hovered] ? left : right;
}

for (const chart of data.charts) {
  let logarithmic = chart.logarithmic;
  let remove = draw(chart, logarithmic);
  const again = () => {
    remove();
    remove = draw(chart, logarithmic);
  };
  // Colours are read from the style sheet when a chart is drawn.
  dark.addEventListener("change", again);
  const button = document.getElementById(chart.id)?.querySelector<HTMLButtonElement>("button");
  const name = () => {
    if (button) button.textContent = logarithmic ? "logarithmic" : "linear";
  };
  button?.addEventListener("click", () => {
    logarithmic = !logarithmic;
    name();
    again();
  });
  name();
}
