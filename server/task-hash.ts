import { createHash } from "node:crypto";
import type { Task } from "../tasks/index.js";

/**
 * SHA-256 of everything that must not change when a run is resumed: all that enters a step. A run may be made longer,
 * and evaluated and saved at other intervals; a schedule that ends with the run is stretched with it on request. Data
 * is identified by its bytes and a model's code by its hash, not by their location.
 */
export function taskHash(task: Task, dataFingerprint: string): string {
  const { schedule, samples } = task;
  return hashOf(task, dataFingerprint, schedule.totalSamples === samples ? "the run" : schedule.totalSamples);
}

/**
 * Whether a run with this hash may have this task. Once a run has been made longer, its task no longer shows whether
 * its schedule originally ended with the run.
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
    // Absent if it has the default value, so that runs that were started before the setting existed keep their hash.
    ...(wire === "bfloat16" ? { wire } : {}),
    ...(precision === undefined || precision === "float32" ? {} : { precision }),
  };
  return createHash("sha256").update(JSON.stringify(fixed)).digest("hex");
}
