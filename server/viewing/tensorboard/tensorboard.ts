/**
 * A run's scalars for TensorBoard: `tensorboard --logdir` on a run directory, or on a folder of them. They tell the
 * same history as `metrics.jsonl`. Since events can't be taken out of a file again, a run that goes back says so with
 * the start of a session at that step: TensorBoard forgets what it has of that step and later ones, in all files.
 */
import type { MetricsLine, RunRecord } from "../../record/metrics.js";
import { type Scalar, scalarsAt, sessionStart } from "./encode.js";
import { type EventFile, openEventFile } from "./event-file.js";

export interface TensorBoardOptions {
  /** Of the run's events; made with the first one. */
  readonly folder: string;
  /** b: what a step's speed is told in. */
  readonly microBatchSize: number;
  onFailed(error: unknown): void;
}

/** The record of a run, whose scalars go to TensorBoard too. */
export function withTensorBoard(
  metrics: RunRecord<MetricsLine>,
  { folder, microBatchSize, onFailed }: TensorBoardOptions,
): RunRecord<MetricsLine> {
  /** Each process has a file of its own, made when there is something to tell. */
  let file: EventFile | undefined;
  let startAt: number | undefined;

  const tell = (line: MetricsLine): void => {
    const scalars = scalarsOf(line, microBatchSize);
    if (scalars.length === 0) return;
    file ??= openEventFile({ folder, onFailed });
    const now = Date.now() / 1000;
    if (startAt !== undefined) file.append(sessionStart(now, startAt));
    startAt = undefined;
    file.append(scalarsAt(now, line.step as number, scalars));
  };

  return {
    ...metrics,
    get count() {
      return metrics.count;
    },
    append(line) {
      metrics.append(line);
      tell(line);
    },
    cutBack(step) {
      metrics.cutBack(step);
      startAt = step;
    },
    sync() {
      metrics.sync();
      file?.flush();
    },
    close() {
      file?.close();
      metrics.close();
    },
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
