import { type ChartSizes, type History, startsLogarithmic } from "../../charts/index.js";
import { onPrint } from "../print.js";
import { chartsOfPage, draw, isBehind, type PageChart } from "./chart.js";

/**
 * The charts. Steps may come faster than the charts can be drawn, and in a long run a step moves a curve by less than a
 * pixel: so a chart is drawn again when its newest point is a pixel further, and now and then for its newest values. A
 * frame draws one, the one that has waited longest. A chart out of sight is drawn once, and again before printing.
 */
export interface Plots {
  /** To be called when the history has changed or was replaced. */
  changed(history: History, sizes: ChartSizes): void;
}

export function createPlots(): Plots {
  let shown: { readonly history: History; readonly sizes: ChartSizes } | undefined;
  let waiting = false;
  const charts = chartsOfPage();

  function requestFrame(): void {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(frame);
  }

  function frame(): void {
    waiting = false;
    const due = charts.filter(isDue).sort((a, b) => a.drawnMs - b.drawnMs);
    if (shown === undefined || due.length === 0) return;
    const [chart] = due;
    draw(chart, shown.history, shown.sizes, () => touch(chart));
    if (due.length > 1) requestFrame();
  }

  function touch(chart: PageChart): void {
    chart.stale = true;
    requestFrame();
  }

  function redrawAll(): void {
    for (const chart of charts) {
      chart.labels = "";
      touch(chart);
    }
  }

  watchSight(charts, requestFrame);
  for (const chart of charts) addAxisButton(chart, () => touch(chart));
  const resized = new ResizeObserver(redrawAll);
  resized.observe(charts[0].place);
  resized.observe(charts[1].place);
  onPrint(() => {
    if (shown === undefined) return;
    for (const chart of charts) {
      chart.labels = "";
      draw(chart, shown.history, shown.sizes, () => touch(chart));
    }
  });
  // Colours are read from the style sheet when a chart is made.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

  return {
    changed(history, sizes) {
      if (shown === undefined) chooseAxes(charts, history, sizes);
      shown = { history, sizes };
      for (const chart of charts) chart.stale ||= isBehind(chart, history);
      if (charts.some(isDue)) requestFrame();
    },
  };
}

function isDue({ stale, visible, plot, place }: PageChart): boolean {
  return stale && (visible || (plot === undefined && place.clientWidth > 0));
}

/** Keeps `visible` up to date, and calls `onStale` when a chart that must be drawn comes into sight. */
function watchSight(charts: readonly PageChart[], onStale: () => void): void {
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const chart = charts.find(({ place }) => place === target);
      if (chart === undefined) continue;
      chart.visible = isIntersecting;
      if (isIntersecting && chart.stale) onStale();
    }
  });
  for (const { place } of charts) seen.observe(place);
}

function addAxisButton(chart: PageChart, onChanged: () => void): void {
  const button = document.querySelector<HTMLButtonElement>(`#${chart.definition.id} button.axis`);
  button?.setAttribute("aria-pressed", String(chart.logarithmic));
  button?.addEventListener("click", () => {
    chart.logarithmic = !chart.logarithmic;
    button.setAttribute("aria-pressed", String(chart.logarithmic));
    onChanged();
  });
}

/** As the page opens: an axis that changed by itself later would only startle. */
function chooseAxes(charts: readonly PageChart[], history: History, sizes: ChartSizes): void {
  for (const chart of charts) {
    const { definition } = chart;
    chart.logarithmic = startsLogarithmic(definition, definition.curves(history, sizes));
    const button = document.querySelector(`#${definition.id} button.axis`);
    button?.setAttribute("aria-pressed", String(chart.logarithmic));
  }
}
