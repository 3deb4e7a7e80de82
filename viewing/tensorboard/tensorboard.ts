/**
 * A run's scalars for TensorBoard: `tensorboard --logdir` on a run directory, or on a folder of them. They show the
 * same history as `metrics.jsonl`. Since events can't be removed from a file, a run that goes back to a step appends
 * the start of a session at that step: TensorBoard then drops what it has of that step and later ones, in all files.
 */
import { join } from "node:path";
import type { RunObserver } from "../../server/index.js";
import { type MetricsLine, RUN_FILES } from "../../server/record/index.js";
import { messageOf } from "../../shared/errors.js";
import { type Scalar, scalarsAt, sessionStart } from "./encode.js";
import { type EventFile, openEventFile } from "./event-file.js";

export interface ScalarsOptions {
  /** The folder of the run's event files; made with the first event. */
  readonly folder: string;
  /** b, from which the speed in samples per second follows. */
  readonly microBatchSize: number;
  /** Called the first time that the events can't be written. */
  onFailed(error: unknown): void;
}

/** Writes the scalars of a run's record, line by line. */
export interface Scalars {
  add(line: MetricsLine): void;
  close(): void;
}

/** Follows a run's record from the moment the server starts. */
export function createTensorBoard(): RunObserver {
  return {
    name: "TensorBoard",
    start({ folder, task, metrics, log }) {
      const scalars = createScalars({
        folder: join(folder, RUN_FILES.tensorboard),
        microBatchSize: task.microBatchSize,
        onFailed: (error) => log.warn(`TensorBoard gets no more of this run. ${messageOf(error)}`),
      });
      // Earlier lines are in the files of earlier processes.
      const unsubscribe = metrics.subscribe(Number.POSITIVE_INFINITY, (json) =>
        scalars.add(JSON.parse(json) as MetricsLine),
      );
      return {
        close() {
          unsubscribe();
          scalars.close();
        },
      };
    },
  };
}

export function createScalars({ folder, microBatchSize, onFailed }: ScalarsOptions): Scalars {
  /** Each process has its own file, made when there is something to write. */
  let file: EventFile | undefined;
  let startAt: number | undefined;

  return {
    add(line) {
      if (line.type === "event") {
        if (line.event === "restored") startAt = Number(line.step);
        // The run's own record has just been synced as well.
        if (line.event === "checkpoint") file?.flush();
        return;
      }
      const scalars = scalarsOf(line, microBatchSize);
      if (scalars.length === 0) return;
      file ??= openEventFile({ folder, onFailed });
      const now = Date.now() / 1000;
      if (startAt !== undefined) file.append(sessionStart(now, startAt));
      startAt = undefined;
      file.append(scalarsAt(now, line.step, scalars));
    },
    close: () => file?.close(),
  };
}

/** Grouped by what a person compares: training, evaluation, speed. */
function scalarsOf(line: MetricsLine, microBatchSize: number): Scalar[] {
  if (line.type === "evaluation") {
    const { loss, accuracy } = line;
    return [
      { tag: "evaluation/loss", value: loss },
      ...(accuracy === null ? [] : [{ tag: "evaluation/accuracy", value: accuracy }]),
    ];
  }
  if (line.type !== "step") return [];
  const { loss, learningRate, microBatches, workers, noiseScale, ms } = line;
  const scale = noiseScale?.scale ?? null;
  return [
    { tag: "training/loss", value: loss },
    { tag: "training/learning_rate", value: learningRate },
    { tag: "training/micro_batches_per_step", value: microBatches },
    ...(scale === null ? [] : [{ tag: "training/noise_scale", value: scale }]),
    ...(ms.step > 0
      ? [{ tag: "speed/samples_per_second", value: (1000 * microBatches * microBatchSize) / ms.step }]
      : []),
    { tag: "speed/workers", value: workers },
  ];
}
