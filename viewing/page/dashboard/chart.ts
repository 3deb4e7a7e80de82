import type UPlot from "uplot";
import {
  CHARTS,
  type ChartDefinition,
  type ChartSizes,
  type Curve,
  type History,
  spoken,
  valueText,
} from "../../charts/index.js";
import { plotOptions } from "../plot-options.js";

declare const uPlot: typeof UPlot;

/** A chart that has changed by less than a pixel is drawn again this often. */
const REFRESH_MS = 2_000;

/** One chart of the page, and the part of the history that it shows. */
export interface PageChart {
  readonly definition: ChartDefinition;
  readonly place: HTMLElement;
  plot: UPlot | undefined;
  labels: string;
  logarithmic: boolean;
  visible: boolean;
  stale: boolean;
  drawnMs: number;
  /** Samples and evaluations that are drawn. */
  drawnSamples: number;
  drawnEvaluations: number;
  zoomed: boolean;
}

export function chartsOfPage(): PageChart[] {
  return CHARTS.flatMap((definition) => {
    const place = document.querySelector<HTMLElement>(`#${definition.id} .plot`);
    if (place === null) return [];
    return {
      definition,
      place,
      plot: undefined,
      labels: "",
      logarithmic: definition.axis === "logarithmic",
      visible: true,
      stale: false,
      drawnMs: 0,
      drawnSamples: 0,
      drawnEvaluations: 0,
      zoomed: false,
    };
  });
}

/** Whether the chart would look different by now. */
export function isBehind(chart: PageChart, { points, evaluations }: History): boolean {
  const samples = points.at(-1)?.[1] ?? 0;
  if (samples === chart.drawnSamples && evaluations.length === chart.drawnEvaluations) return false;
  const pixels = ((samples - chart.drawnSamples) / Math.max(1, samples)) * chart.place.clientWidth;
  const late = performance.now() - chart.drawnMs > REFRESH_MS;
  return late || evaluations.length !== chart.drawnEvaluations || Math.abs(pixels) >= 1;
}

/** @param onUnzoomed called when the person zooms out again */
export function draw(chart: PageChart, history: History, sizes: ChartSizes, onUnzoomed: () => void): void {
  chart.stale = false;
  chart.drawnMs = performance.now();
  chart.drawnSamples = history.points.at(-1)?.[1] ?? 0;
  chart.drawnEvaluations = history.evaluations.length;
  const { definition, place } = chart;
  const curves = definition.curves(history, sizes).filter(({ x }) => x.length > 0);
  place.setAttribute("aria-label", spoken(definition.title, curves, definition.unit));
  const labels = JSON.stringify([chart.logarithmic, curves.map(({ label }) => label)]);
  const data = tableOf(curves);
  if (chart.plot === undefined || chart.labels !== labels) {
    chart.plot?.destroy();
    chart.labels = labels;
    chart.zoomed = false;
    const show = (value: number | null | undefined): string => valueText(value, definition.unit);
    chart.plot =
      curves.length === 0 ? undefined : new uPlot(plotOptions(place, curves, chart.logarithmic, show), data, place);
    watchZoom(chart, onUnzoomed);
  } else {
    chart.plot.setData(data, !chart.zoomed);
  }
}

/** A part that a person has zoomed into stays while the run continues. */
function watchZoom(chart: PageChart, onUnzoomed: () => void): void {
  const over = chart.plot?.over;
  over?.addEventListener("mouseup", () =>
    setTimeout(() => {
      const { min, max } = chart.plot!.scales.x;
      const x = chart.plot!.data[0];
      chart.zoomed = min !== undefined && max !== undefined && min !== null && (min > x[0] || max < x[x.length - 1]);
    }),
  );
  over?.addEventListener("dblclick", () => {
    chart.zoomed = false;
    onUnzoomed();
  });
}

/** The curves in one table; those over the same x need no join. */
function tableOf(curves: readonly Curve[]): UPlot.AlignedData {
  const same = curves.every(({ x }) => x.length === curves[0].x.length && x.at(-1) === curves[0].x.at(-1));
  if (same && curves.length > 0) return [curves[0].x, ...curves.map(({ y }) => y)] as unknown as UPlot.AlignedData;
  return uPlot.join(curves.map(({ x, y }) => [x, y] as unknown as UPlot.AlignedData));
}
