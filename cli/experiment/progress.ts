/** The progress of an experiment: a bar on a terminal, a line from time to time elsewhere. */
import cliProgress from "cli-progress";
import { count, duration } from "../progress/format.js";
import { createPlainPace } from "../progress/view.js";

export interface ExperimentBar {
  /** @param microBatches done by this process's children since they were started, unfinished runs included */
  show(runsDone: number, microBatches: number): void;
  /** Removes the bar. */
  close(): void;
}

export interface ProgressOptions {
  readonly stream: NodeJS.WriteStream;
  readonly runs: number;
  /** Micro-batches that are left to train. */
  readonly microBatches: number;
  readonly nowMs: () => number;
}

/** The fraction of the work that must be done before a time left is shown; earlier, process start-up dominates. */
const SHARE_MIN = 0.02;

export function createProgress({ stream, runs, microBatches, nowMs }: ProgressOptions): ExperimentBar {
  const startedMs = nowMs();
  const timeLeft = (done: number): string => {
    const seconds = ((nowMs() - startedMs) / 1_000 / done) * (microBatches - done);
    return done >= SHARE_MIN * microBatches ? `${duration(seconds)} left` : "";
  };
  if (!stream.isTTY) {
    const pace = createPlainPace(startedMs);
    return {
      show(runsDone, done) {
        if (!pace.isDue(done / microBatches, nowMs())) return;
        stream.write(`${[`${count(runsDone)} of ${count(runs)} runs`, timeLeft(done)].filter(Boolean).join(", ")}\n`);
      },
      close() {},
    };
  }
  const bar = new cliProgress.SingleBar({
    stream,
    format: "{bar} {runs} runs  {left}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    fps: 5,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(microBatches, 0, { runs: `0 of ${count(runs)}`, left: "" });
  return {
    show: (runsDone, done) => bar.update(done, { runs: `${count(runsDone)} of ${count(runs)}`, left: timeLeft(done) }),
    close: () => bar.stop(),
  };
}
