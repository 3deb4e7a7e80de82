/**
 * A report's own script: runs in the browser, finds its data in the page and draws each chart into its element when
 * that comes into sight. It requests nothing from the network.
 */
import type UPlot from "uplot";
import { spoken, valueText } from "../../charts/values.js";
import type { ChartData, ReportData } from "../../report/report-data.js";
import { plotOptions } from "../plot-options.js";
import { onPrint } from "../print.js";

declare const uPlot: typeof UPlot;

const { charts } = JSON.parse(document.getElementById("data")?.textContent ?? "") as ReportData;
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Draws a chart, again if it is drawn already. */
function drawing({ id, title, unit, logarithmic, curves }: ChartData): () => void {
  const place = document.querySelector<HTMLElement>(`#${id} .plot`)!;
  const button = document.querySelector<HTMLButtonElement>(`#${id} button.axis`);
  const tables = curves.map(({ x, y }) => [x, y] as unknown as UPlot.AlignedData);
  let isLogarithmic = logarithmic;
  let plot: UPlot | undefined;
  place.setAttribute("aria-label", spoken(title, curves, unit));

  function draw(): void {
    if (place.clientWidth === 0) return;
    plot?.destroy();
    button?.setAttribute("aria-pressed", String(isLogarithmic));
    const options = plotOptions(place, curves, isLogarithmic, (value) => valueText(value, unit));
    plot = new uPlot(options, uPlot.join(tables), place);
  }

  button?.addEventListener("click", () => {
    isLogarithmic = !isLogarithmic;
    draw();
  });
  // Called at once, and when a section is unfolded.
  new ResizeObserver(() => {
    if (plot === undefined || plot.width !== place.clientWidth) draw();
  }).observe(place);
  return draw;
}

const draws = charts.map(drawing);
const drawAll = (): void => {
  for (const draw of draws) draw();
};
// Colours are read from the style sheet when a chart is drawn.
dark.addEventListener("change", drawAll);
onPrint(drawAll);
