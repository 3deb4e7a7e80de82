import type { RunEvent, RunStatus, TrainingRun } from "../../index.js";
import { activityOf, createActivityClock } from "./activity.js";
import type { Display } from "./display.js";
import { epochsText } from "./facts.js";
import { count, measure, percent, plural } from "./format.js";
import type { RunView } from "./view.js";

const REFRESH_MS = 200;
/** Steps over which the shown loss is averaged, roughly. */
const LOSS_STEPS = 50;

export interface Following {
  /** Shows the remaining events, then stops. */
  close(): Promise<void>;
}

/**
 * Shows a run on a display.
 * @param workersStarted worker processes that the command has started itself
 */
export function followRun(
  run: Pick<TrainingRun, "events" | "status">,
  display: Display,
  workersStarted = 0,
): Following {
  const loss = createSmoothedLoss();
  const { trainingSamples } = run.status();
  const timed = createActivityClock();
  let workers: readonly Worker[] = [];
  const refresh = (): void => {
    const status = run.status();
    // When a run has ended, its workers leave as expected.
    const present = status.phase === "ended" ? workers : status.workers;
    for (const text of describeArrivals(workers, present)) display.print(text);
    workers = present;
    const activity = activityOf({ ...status, workersStarted });
    display.show({ ...viewOf(status, loss.value), activity: timed(activity, performance.now()) });
  };
  refresh();
  const timer = setInterval(refresh, REFRESH_MS);
  const events = run.events();
  const shown = (async () => {
    for await (const event of events) {
      if (event.type === "step") loss.add(event.loss);
      const text = describeEvent(event, trainingSamples);
      if (text !== undefined) display.print(text);
    }
  })();
  return {
    async close() {
      clearInterval(timer);
      // The events of a run that has ended end too; those of a run that continues are abandoned.
      if (run.status().phase !== "ended") void events.return?.();
      else await shown;
      refresh();
    },
  };
}

type Worker = Pick<RunStatus["workers"][number], "id" | "device" | "computeThreads">;

export function viewOf(status: RunStatus, loss: number | undefined): Omit<RunView, "activity"> {
  const { evaluation } = status;
  return {
    task: status.task,
    samples: status.samples,
    samplesTotal: status.samplesTotal,
    samplesPerSecond: status.samplesPerSecond,
    secondsLeft: status.secondsLeft ?? Number.NaN,
    loss,
    // What the untrained model scored says nothing about the run.
    evaluation:
      evaluation !== null && evaluation.step > 0
        ? { loss: evaluation.loss ?? Number.NaN, accuracy: evaluation.accuracy }
        : undefined,
    microBatchesPerStep: status.microBatchesPerStep,
    microBatchSize: status.microBatchSize,
    learningRate: status.learningRate ?? Number.NaN,
    noiseScale: status.noiseScale ?? Number.NaN,
    workers: status.workers.length,
    trainingSamples: status.trainingSamples,
  };
}

/**
 * An event as people read it; steps are many and are shown as figures instead.
 * @param trainingSamples how many samples an epoch is
 */
export function describeEvent(event: RunEvent, trainingSamples: number): string | undefined {
  switch (event.type) {
    case "evaluation": {
      const { samples, loss } = event;
      const accuracy = event.accuracy === null ? "" : `, accuracy ${percent(event.accuracy)}`;
      const after = `after ${count(samples)} samples, ${epochsText(samples, trainingSamples)}`;
      return `${samples === 0 ? "untrained" : after}: test loss ${measure(loss)}${accuracy}`;
    }
    case "checkpoint":
      return `checkpoint of step ${count(event.step)} written`;
    case "kappa": {
      const { from, kappa, reason, learningRate, gamma1, gamma2 } = event;
      const change = from === null ? `κ is ${kappa}` : `κ ${from} → ${kappa}`;
      const rates = `η′ ${measure(learningRate)}, Γ1 ${measure(gamma1)}, Γ2 ${measure(gamma2)}`;
      return `${change} from step ${count(event.step)} on, ${rates}: ${reason}`;
    }
    case "restored":
      if (event.recomputedSteps === 0) return undefined;
      return `back at step ${count(event.step)}: ${plural(event.recomputedSteps, "step")} to compute again`;
    case "extended":
    case "workerProcess":
      return event.message;
    default:
      return undefined;
  }
}

/** Workers that have joined or left, one line each. */
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
