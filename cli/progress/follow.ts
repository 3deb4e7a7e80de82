import type { MetricsLine, RunningServer } from "../../server/index.js";
import type { Status } from "../../shared/wire/index.js";
import { activityOf, createActivityClock } from "./activity.js";
import type { Display } from "./display.js";
import { epochsText } from "./facts.js";
import { count, measure, percent, plural } from "./format.js";
import type { RunView } from "./view.js";

const REFRESH_MS = 200;
/** Steps over which the shown loss is averaged, roughly. */
const LOSS_STEPS = 50;

/**
 * Shows a run on a display until the returned function is called.
 * @param startedAt ISO 8601, before the server was started: older lines of the run's file were shown earlier
 * @param workersStarted worker processes that the command has started itself
 */
export function followRun(
  server: Pick<RunningServer, "metrics" | "status">,
  display: Display,
  startedAt: string,
  workersStarted = 0,
): () => void {
  const loss = createSmoothedLoss();
  const { trainingSamples } = server.status();
  let isNew = false;
  const unsubscribe = server.metrics.subscribe(0, (json) => {
    const line = JSON.parse(json) as MetricsLine;
    if (line.type === "event") isNew ||= line.at >= startedAt;
    if (line.type === "step") loss.add(line.loss);
    const text = isNew ? describeLine(line, trainingSamples) : undefined;
    if (text !== undefined) display.print(text);
  });
  const timed = createActivityClock();
  let workers: readonly Worker[] = [];
  const refresh = (): void => {
    const status = server.status();
    // When a run has ended its workers leave, which is no news.
    const present = status.phase === "ended" ? workers : status.workers;
    for (const text of describeArrivals(workers, present)) display.print(text);
    workers = present;
    const activity = activityOf({ ...status, workersStarted });
    display.show({ ...viewOf(status, loss.value), activity: timed(activity, performance.now()) });
  };
  refresh();
  const timer = setInterval(refresh, REFRESH_MS);
  return () => {
    clearInterval(timer);
    unsubscribe();
    refresh();
  };
}

type Worker = Pick<Status["workers"][number], "id" | "device" | "computeThreads">;

export function viewOf(status: Status, loss: number | undefined): Omit<RunView, "activity"> {
  const { evaluationStep, evaluationLoss, evaluationAccuracy } = status;
  const accuracy = Number.isFinite(evaluationAccuracy) ? evaluationAccuracy : null;
  return {
    task: status.task,
    samples: status.samples,
    samplesTotal: status.samplesTotal,
    samplesPerSecond: status.samplesPerSecond,
    secondsLeft: status.secondsLeft,
    loss,
    // What the untrained model scored says nothing about the run.
    evaluation: evaluationStep > 0 ? { loss: evaluationLoss, accuracy } : undefined,
    microBatchesPerStep: status.microBatchesPerStep,
    microBatchSize: status.microBatchSize,
    learningRate: status.learningRate,
    noiseScale: status.noiseScale,
    workers: status.workers.length,
    trainingSamples: status.trainingSamples,
  };
}

/**
 * A line of metrics.jsonl as people read it; steps are many and are shown as figures instead.
 * @param trainingSamples how many samples an epoch is
 */
export function describeLine(line: MetricsLine, trainingSamples: number): string | undefined {
  if (line.type === "evaluation") {
    const { samples, loss } = line;
    const accuracy = line.accuracy === null ? "" : `, accuracy ${percent(line.accuracy)}`;
    const after = `after ${count(samples)} samples, ${epochsText(samples, trainingSamples)}`;
    return `${samples === 0 ? "untrained" : after}: test loss ${measure(loss)}${accuracy}`;
  }
  if (line.type === "step") return undefined;
  const { event, step, recomputedSteps } = line;
  if (event === "checkpoint") return `checkpoint of step ${count(Number(step))} written`;
  if (event === "kappa") {
    const { from, kappa, reason, learningRate, gamma1, gamma2 } = line;
    const change = from === null ? `κ is ${kappa}` : `κ ${from} → ${kappa}`;
    const rates = `η′ ${measure(Number(learningRate))}, Γ1 ${measure(Number(gamma1))}, Γ2 ${measure(Number(gamma2))}`;
    return `${change} from step ${count(Number(step))} on, ${rates}: ${reason}`;
  }
  if (event === "extended") return String(line.message);
  if (event === "restored" && Number(recomputedSteps) > 0) {
    return `back at step ${count(Number(step))}: ${plural(Number(recomputedSteps), "step")} to compute again`;
  }
  return undefined;
}

/** Who has come and who has gone, a line each. */
export function describeArrivals(before: readonly Worker[], now: readonly Worker[]): string[] {
  const has = (workers: readonly Worker[], id: string): boolean => workers.some((worker) => worker.id === id);
  return [
    ...before.filter(({ id }) => !has(now, id)).map(({ id }) => `worker ${id} has left`),
    ...now
      .filter(({ id }) => !has(before, id))
      .map(
        ({ id, device, computeThreads }) =>
          `worker ${id} has joined: ${device}, ${plural(computeThreads, "compute thread")}`,
      ),
  ];
}

/** An exponential average, unbiased from the first value on. */
export function createSmoothedLoss(): { add(loss: number): void; readonly value: number | undefined } {
  const keep = 1 - 1 / LOSS_STEPS;
  let [sum, weight] = [0, 0];
  return {
    add(loss) {
      sum = keep * sum + (1 - keep) * loss;
      weight = keep * weight + (1 - keep);
    },
    get value() {
      return weight === 0 ? undefined : sum / weight;
    },
  };
}
