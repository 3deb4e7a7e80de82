import { domainOf, drawFigure, type Panel, type SeriesLook } from "../invariance/report/drawing.js";
import type { ElasticResult } from "./compare.js";

const SINGLE_WORKER: SeriesLook = { color: "text", line: "wide", dots: false };
const OTHER_ORDER: SeriesLook = { color: "text", line: "dashed", dots: false };
const ELASTIC: SeriesLook = { color: 0, line: "solid", dots: false };
const KAPPA: SeriesLook = { color: 1, line: "solid", dots: false };

/** κ of the first arm, then one panel of losses per arm. */
export function drawElastic(results: readonly ElasticResult[], workers: readonly number[]): string {
  const samples = Math.max(...results.flatMap(({ elastic }) => elastic.samples));
  const x = { label: "samples seen", logarithmic: false, domain: [0, samples] as const };
  const losses = results.flatMap(({ elastic, singleWorker, otherOrder }) =>
    [elastic, singleWorker, otherOrder].flatMap((one) => one.losses),
  );
  const y = { label: "test loss", logarithmic: true, domain: domainOf(losses, true) };
  const most = Math.max(...results[0].kappas.map(({ kappa }) => kappa));
  const steps = results[0].kappas.flatMap(({ samples: from, kappa }, i, all) => [
    [from, kappa] as const,
    [all[i + 1]?.samples ?? samples, kappa] as const,
  ]);
  const kappas: Panel = {
    title: `κ, as ${workers.join(" → ")} workers came and went (${results[0].arm})`,
    x,
    y: { label: "κ", logarithmic: false, domain: [0, most + 1] },
    series: [{ look: KAPPA, points: steps }],
  };
  return drawFigure({
    name: "elastic",
    title: "Workers come and go, κ follows, nothing is tuned again",
    note: "Test loss over samples of a run whose workers come and go, against the same run with one worker.",
    key: [
      { label: "one worker, κ = 1", look: SINGLE_WORKER },
      { label: "the same with another data order", look: OTHER_ORDER },
      { label: "elastic", look: ELASTIC },
      { label: "κ", look: KAPPA },
    ],
    panels: [
      kappas,
      ...results.map(({ arm, elastic, singleWorker, otherOrder }): Panel => {
        const points = (one: typeof elastic) => one.samples.map((at, i) => [at, one.losses[i]] as const);
        return {
          title: arm,
          x,
          y,
          series: [
            { look: SINGLE_WORKER, points: points(singleWorker) },
            { look: OTHER_ORDER, points: points(otherOrder) },
            { look: ELASTIC, points: points(elastic) },
          ],
        };
      }),
    ],
  });
}
