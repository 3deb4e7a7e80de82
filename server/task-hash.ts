import { createHash } from "node:crypto";
import type { Task } from "../tasks/index.js";

/**
 * SHA-256 of what may not change when a run goes on: whatever enters a step. A run may be made longer, and be
 * evaluated and saved at other intervals; a schedule that ends with the run is stretched with it. The data are known
 * by their bytes and a model's code by its own hash, not by where they lie.
 */
export function taskHash(task: Task, dataFingerprint: string): string {
  const {
    name: _name,
    samples,
    evaluateEverySamples: _evaluate,
    evaluationBatchSize: _batch,
    checkpointEverySamples: _checkpoint,
    checkpointsKept: _kept,
    mixed: _mixed,
    dataset: _dataset,
    model,
    schedule,
    ...rest
  } = task;
  const fixed = {
    ...rest,
    model: model.kind === "module" ? model.hash : model,
    schedule: { ...schedule, totalSamples: schedule.totalSamples === samples ? "the run" : schedule.totalSamples },
    data: dataFingerprint,
  };
  return createHash("sha256").update(JSON.stringify(fixed)).digest("hex");
}
