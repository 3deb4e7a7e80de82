import { checkSamples } from "./model/check-samples.js";
import { checkText } from "./options.js";
import { callThread } from "./threads/call.js";
import type { Prediction, Sample } from "./types/model.js";

/** What a run's model says about some samples. */
export async function predict(out: string, samples: readonly Sample[]): Promise<Prediction[]> {
  checkText("The run directory", out);
  checkSamples(samples);
  return callThread(new URL("./threads/predict.js", import.meta.url), { out, samples });
}
