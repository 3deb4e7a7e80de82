import type UPlot from "uplot";
import { CHARTS, type ChartDefinition, type Curve, spansDecades, spoken, valueText } from "../view/charts.js";
import type { History } from "../view/history.js";
import { plotOptions } from "./plot-options.js";

declare const uPlot: typeof UPlot;

/**
 * The charts. Steps may come faster than six charts can be drawn, and in a long run a step moves a curve by less than a
 * pixel: so a chart is drawn again when its newest point lies a pixel further, and now and then for its newest values. A
 * frame draws one, the one that has waited longest; one that nobody can see is not drawn at all.
 */
export interface Plots {
  /** The history has changed, or is another one. */
  changed(history: History, microBatchSize: number): void;
}

/** What has changed by less than a pixel is drawn this often all the same. */
const REFRESH_MS = 2_000;

interface Chart {
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

export function createPlots(): Plots {
  let history: History | undefined;
  let microBatchSize = 1;
  let waiting = false;

  const charts = CHARTS.map((definition): Chart => {
    const place = document.querySelector<HTMLElement>(`#${definition.id} .plot`)!;
    return {
      ...{ definition, place, plot: undefined, labels: "", logarithmic: definition.id === "noise" },
      ...{ visible: true, stale: false, drawnMs: 0, drawnSamples: 0, drawnEvaluations: 0, zoomed: false },
    };
  });

  function soon(): void {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(frame);
  }

  function frame(): void {
    waiting = false;
    const due = charts.filter(({ stale, visible }) => stale && visible).sort((a, b) => a.drawnMs - b.drawnMs);
    if (due.length > 0) draw(due[0]);
    if (due.length > 1) soon();
  }

  /** Whether the chart would look different by now. */
  function isBehind(chart: Chart): boolean {
    const { points, evaluations } = history!;
    const samples = points.at(-1)?.[1] ?? 0;
    if (samples === chart.drawnSamples && evaluations.length === chart.drawnEvaluations) return false;
    const pixels = ((samples - chart.drawnSamples) / Math.max(1, samples)) * chart.place.clientWidth;
    const late = performance.now() - chart.drawnMs > REFRESH_MS;
    return late || evaluations.length !== chart.drawnEvaluations || Math.abs(pixels) >= 1;
  }

  function draw(chart: Chart): void {
    chart.stale = false;
    chart.drawnMs = performance.now();
    if (history === undefined) return;
    chart.drawnSamples = history.points.at(-1)?.[1] ?? 0;
    chart.drawnEvaluations = history.evaluations.length;
    const { definition, place } = chart;
    const curves = definition.curves(history, microBatchSize).filter(({ x }) => x.length > 0);
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
      watchZoom(chart);
    } else {
      chart.plot.setData(data, !chart.zoomed);
    }
  }

  /** Who looks closer at a part keeps it while the run goes on. */
  function watchZoom(chart: Chart): void {
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
      touch(chart);
    });
  }

  function touch(chart: Chart): void {
    chart.stale = true;
    soon();
  }

  function redrawAll(): void {
    for (const chart of charts) {
      chart.labels = "";
      touch(chart);
    }
  }

  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const chart = charts.find(({ place }) => place === target);
      if (chart === undefined) continue;
      chart.visible = isIntersecting;
      if (isIntersecting && chart.stale) soon();
    }
  });
  const resized = new ResizeObserver(redrawAll);
  for (const chart of charts) {
    seen.observe(chart.place);
    const button = document.querySelector<HTMLButtonElement>(`#${chart.definition.id} button.axis`);
    button?.setAttribute("aria-pressed", String(chart.logarithmic));
    button?.addEventListener("click", () => {
      chart.logarithmic = !chart.logarithmic;
      button.setAttribute("aria-pressed", String(chart.logarithmic));
      touch(chart);
    });
  }
  /** As the page opens: an axis that changed by itself later would only startle. */
  function chooseAxes({ points }: History): void {
    const loss = charts.find(({ definition }) => definition.id === "loss");
    if (loss === undefined || points.length === 0) return;
    const known = points.flatMap((point) => point[4] ?? []);
    loss.logarithmic = spansDecades(known);
    document.querySelector("#loss button.axis")?.setAttribute("aria-pressed", String(loss.logarithmic));
  }

  resized.observe(charts[0].place);
  resized.observe(charts[1].place);
  // Colours are read from the style sheet when a chart is made.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

  return {
    changed(next, size) {
      if (history === undefined) chooseAxes(next);
      [history, microBatchSize] = [next, size];
      for (const chart of charts) chart.stale ||= isBehind(chart);
      if (charts.some(({ stale }) => stale)) soon();
    },
  };
}

/** Curves over the same x as they are, others side by side. */
function tableOf(curves: readonly Curve[]): UPlot.AlignedData {
  const same = curves.every(({ x }) => x.length === curves[0].x.length && x.at(-1) === curves[0].x.at(-1));
  if (same && curves.length > 0) return [curves[0].x, ...curves.map(({ y }) => y)] as unknown as UPlot.AlignedData;
  return uPlot.join(curves.map(({ x, y }) => [x, y] as unknown as UPlot.AlignedData));
}
