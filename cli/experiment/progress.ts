/** How far an experiment is: a bar that moves on a terminal, a line now and then elsewhere. */
import cliProgress from "cli-progress";
import { count, duration } from "../progress/format.js";
import { createPlainPace } from "../progress/view.js";

export interface ExperimentBar {
  /** @param microBatches done by this process's children since they were started, unfinished runs included */
  show(runsDone: number, microBatches: number): void;
  /** Removes what moves. */
  close(): void;
}

export interface ProgressOptions {
  readonly stream: NodeJS.WriteStream;
  readonly runs: number;
  /** What is left to train. */
  readonly microBatches: number;
  readonly nowMs: () => number;
}

/** Of the work, before a time is told: until then it is mostly the start of the processes. */
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
