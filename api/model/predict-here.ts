import { openBackend } from "../../backends/index.js";
import { loadRun } from "../load-run.js";
import type { Prediction, Sample } from "../types/model.js";

export interface PredictionOrder {
  /** A run directory. */
  readonly out: string;
  readonly samples: readonly Sample[];
}

/** Applies a run's model to samples, on `wasm` in this thread. */
export async function predictHere({ out, samples }: PredictionOrder): Promise<Prediction[]> {
  const run = await loadRun(out);
  await openBackend("wasm");
  return run.predict(samples);
}
