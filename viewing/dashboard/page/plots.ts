import { spansDecades } from "../view/charts.js";
import type { History } from "../view/history.js";
import { type Chart, chartsOfPage, draw, isBehind } from "./chart.js";

/**
 * The charts. Steps may come faster than six charts can be drawn, and in a long run a step moves a curve by less than a
 * pixel: so a chart is drawn again when its newest point lies a pixel further, and now and then for its newest values. A
 * frame draws one, the one that has waited longest; one that nobody can see is not drawn at all.
 */
export interface Plots {
  /** The history has changed, or is another one. */
  changed(history: History, microBatchSize: number): void;
}

export function createPlots(): Plots {
  let shown: { readonly history: History; readonly microBatchSize: number } | undefined;
  let waiting = false;
  const charts = chartsOfPage();

  function soon(): void {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(frame);
  }

  function frame(): void {
    waiting = false;
    const due = charts.filter(({ stale, visible }) => stale && visible).sort((a, b) => a.drawnMs - b.drawnMs);
    if (shown === undefined || due.length === 0) return;
    const [chart] = due;
    draw(chart, shown.history, shown.microBatchSize, () => touch(chart));
    if (due.length > 1) soon();
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

  watchSight(charts, soon);
  for (const chart of charts) addAxisButton(chart, () => touch(chart));
  const resized = new ResizeObserver(redrawAll);
  resized.observe(charts[0].place);
  resized.observe(charts[1].place);
  // Colours are read from the style sheet when a chart is made.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

  return {
    changed(history, microBatchSize) {
      if (shown === undefined) chooseAxes(charts, history);
      shown = { history, microBatchSize };
      for (const chart of charts) chart.stale ||= isBehind(chart, history);
      if (charts.some(({ stale }) => stale)) soon();
    },
  };
}

/** Keeps `visible` true, and calls `onStale` when a chart comes into sight that must be drawn. */
function watchSight(charts: readonly Chart[], onStale: () => void): void {
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

function addAxisButton(chart: Chart, onChanged: () => void): void {
  const button = document.querySelector<HTMLButtonElement>(`#${chart.definition.id} button.axis`);
  button?.setAttribute("aria-pressed", String(chart.logarithmic));
  button?.addEventListener("click", () => {
    chart.logarithmic = !chart.logarithmic;
    button.setAttribute("aria-pressed", String(chart.logarithmic));
    onChanged();
  });
}

/** As the page opens: an axis that changed by itself later would only startle. */
function chooseAxes(charts: readonly Chart[], { points }: History): void {
  const loss = charts.find(({ definition }) => definition.id === "loss");
  if (loss === undefined || points.length === 0) return;
  const known = points.flatMap((point) => point[4] ?? []);
  loss.logarithmic = spansDecades(known);
  document.querySelector("#loss button.axis")?.setAttribute("aria-pressed", String(loss.logarithmic));
}
