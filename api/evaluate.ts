import { prepareProcess, readBackendSettings } from "../backends/machine/index.js";
import { readRunDirectory } from "../server/record/index.js";
import { checkOptions, checkText } from "./options.js";
import { callThread } from "./threads/call.js";
import type { EvaluateOptions, RunEvaluation } from "./types/model.js";

/** Evaluates a run's newest sound checkpoint on its task's test samples. */
export async function evaluate(out: string, options: EvaluateOptions): Promise<RunEvaluation> {
  checkText("The run directory", out);
  checkOptions("evaluate", options);
  const { backend, settings = {} } = options;
  const backendSettings = readBackendSettings(settings);
  // TensorFlow, if that computes, reads the environment that the main thread has.
  prepareProcess(backend ?? readRunDirectory(out).identity.numerics?.backend, backendSettings);
  return callThread(new URL("./threads/evaluate.js", import.meta.url), { out, backend, backendSettings });
}
