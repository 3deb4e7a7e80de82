import { createHash } from "node:crypto";
import type { Task } from "../tasks/index.js";

/**
 * SHA-256 of what may not change when a run goes on: whatever enters a step. A run may be made longer, and be
 * evaluated and saved at other intervals; a schedule that ends with the run is stretched with it, if that is asked for.
 * The data are known by their bytes and a model's code by its own hash, not by where they are.
 */
export function taskHash(task: Task, dataFingerprint: string): string {
  const { schedule, samples } = task;
  return hashOf(task, dataFingerprint, schedule.totalSamples === samples ? "the run" : schedule.totalSamples);
}

/**
 * Whether a run whose hash is `hash` may be of this task. Once a run has been made longer, its task no longer says whether
 * its schedule ended with it at the start.
 */
export function isHashOf(hash: string, task: Task, dataFingerprint: string): boolean {
  return ["the run", task.schedule.totalSamples].some((end) => hashOf(task, dataFingerprint, end) === hash);
}

function hashOf(task: Task, dataFingerprint: string, scheduleEnd: number | string): string {
  const {
    name: _name,
    samples: _samples,
    evaluateEverySamples: _evaluate,
    evaluationBatchSize: _batch,
    checkpointEverySamples: _checkpoint,
    checkpointsKept: _kept,
    mixed: _mixed,
    dataset: _dataset,
    model,
    schedule: { earlier: _earlier, ...schedule },
    wire,
    precision,
    ...rest
  } = task;
  const fixed = {
    ...rest,
    model: model.kind === "module" ? model.hash : model,
    schedule: { ...schedule, totalSamples: scheduleEnd },
    data: dataFingerprint,
    // Absent where it is the default, so that runs that were started before there was a choice keep their hash.
    ...(wire === "bfloat16" ? { wire } : {}),
    ...(precision === undefined || precision === "float32" ? {} : { precision }),
  };
  return createHash("sha256").update(JSON.stringify(fixed)).digest("hex");
}
