import type { Logger } from "../shared/log.js";
import type { MetricsLine, RunRecord } from "./record/index.js";

/** Above this squared error, targets or inputs are in the thousands. */
const LOSS_MAX = 1e6;

/** Logs one line of advice if a new run's first step has a squared error that no usual learning rate brings down. */
export function watchFirstLoss(metrics: Pick<RunRecord<MetricsLine>, "count" | "subscribe">, log: Logger): void {
  let seen = false;
  metrics.subscribe(metrics.count, (json) => {
    if (seen) return;
    const line = JSON.parse(json) as MetricsLine;
    if (line.type !== "step") return;
    seen = true;
    if (line.step !== 0 || !(line.loss > LOSS_MAX)) return;
    log.warn(
      `the loss of the first step is ${line.loss.toPrecision(3)}: numbers so large train badly; scale what is predicted so that it is ` +
        "around 0 with a deviation of about 1, and the inputs likewise",
    );
  });
}
