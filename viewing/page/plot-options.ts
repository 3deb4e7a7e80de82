import type UPlot from "uplot";
import type { Curve } from "../charts/index.js";

declare const uPlot: typeof UPlot;

/** How a chart looks, on the dashboard and in reports. Colours come from the style sheet. */

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const colourOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function plotOptions(
  place: HTMLElement,
  curves: readonly Curve[],
  logarithmic: boolean,
  show: (value: number | null | undefined) => string,
): UPlot.Options {
  const axis = {
    stroke: colourOf("--muted"),
    grid: { stroke: colourOf("--grid"), width: 1 },
    ticks: { show: false },
    border: { show: false },
    font: "12px system-ui, sans-serif",
  };
  // The axis of lines starts at zero; evaluations, which are close together, use the whole height.
  const fromZero = curves.some(({ look }) => look !== "dots");
  const low = curves.findIndex(({ look }) => look === "low");
  return {
    ...sizeOf(place),
    padding: [12, 16, 0, 0],
    scales: {
      x: { time: false, range: (_, min, max) => (min === max ? [0, max || 1] : [min, max]) },
      y: logarithmic
        ? { distr: 3, range: (_, min, max) => (min > 0 ? [roundNumber(min, -1), roundNumber(max, 1)] : [0.1, 10]) }
        : { range: { min: { pad: 0.08, ...(fromZero && { soft: 0, mode: 1 as const }) }, max: { pad: 0.08 } } },
    },
    axes: [
      { ...axis, size: 28, values: (_, splits) => splits.map((value) => compact.format(value)) },
      { ...axis, size: 52, values: (_, splits) => splits.map((value) => (value === null ? "" : readable(value))) },
    ],
    series: [
      { label: "", value: (_, value) => (value == null ? "" : `at ${value.toLocaleString("en")} samples`) },
      ...curves.map((curve) => seriesOf(curve, show)),
    ],
    ...(low >= 0 && {
      bands: [{ series: [low + 2, low + 1], fill: `${colourOf(`--curve-${curves[low].colour}`)}2e` }],
    }),
    cursor: { sync: { key: "samples" }, points: { size: 7 }, focus: { prox: 1e9 } },
    legend: { markers: { width: 2 } },
  };
}

function sizeOf(place: HTMLElement): { width: number; height: number } {
  return { width: place.clientWidth, height: Number.parseFloat(getComputedStyle(place).getPropertyValue("--plot")) };
}

function seriesOf({ label, colour, look }: Curve, show: (value: number | null | undefined) => string): UPlot.Series {
  const stroke = colourOf(`--curve-${colour}`);
  const edge = look === "low" || look === "high";
  return {
    label,
    stroke: edge ? `${stroke}3c` : stroke,
    width: edge ? 1 : 2,
    spanGaps: true,
    points: { show: look === "dots", size: 5, fill: stroke },
    ...(look === "steps" && { paths: uPlot.paths.stepped?.({ align: -1 }) }),
    ...(edge && { class: "edge" }),
    // Curves have points at different places: shown is the newest at or before the cursor, or else the very newest.
    value: (plot, _value, series, index) => {
      const values = plot.data[series];
      for (let i = index ?? values.length - 1; i >= 0; i--) if (values[i] != null) return show(values[i]);
      return show(null);
    },
  };
}

/** The next of …, 1, 2, 5, 10, … below (−1) or above (1) a positive value, where a logarithmic axis starts or ends. */
function roundNumber(value: number, direction: -1 | 1): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const steps = [1, 2, 5, 10].map((factor) => factor * power);
  const next = direction < 0 ? steps.findLast((step) => step <= value) : steps.find((step) => step >= value);
  return next ?? value;
}

/** Four figures, or an exponent where those would hide the value. */
function readable(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4) return value.toExponential(2).replace("e-", "e−");
  return size >= 1e4 ? compact.format(value) : String(Number(value.toPrecision(4)));
}
