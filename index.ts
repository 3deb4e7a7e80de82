/**
 * Isobatch for programs: train neural networks on a cluster of machines, and use what they have learned.
 *
 * These names are all that is public; everything else may change at any time. Importing this loads no TensorFlow and has no effects:
 * each function loads what it needs when it is called. Nothing is printed and no environment is read; whatever goes wrong for a
 * reason that a person can correct is an {@link IsobatchError}.
 */
import type { ElasticOptions, ElasticOutcome, InvarianceOptions, InvarianceOutcome } from "./api/types/experiment.js";
import type {
  EvaluateOptions,
  ExportedModel,
  ExportOptions,
  LoadedRun,
  Prediction,
  RunEvaluation,
  Sample,
} from "./api/types/model.js";
import type { RunServer, ServeOptions, TrainingRun, TrainOptions } from "./api/types/run.js";
import type { TaskDefinition, TaskSource } from "./api/types/task.js";
import type { JoinedWorker, JoinOptions } from "./api/types/worker.js";

export type * from "./api/types/events.js";
export type * from "./api/types/experiment.js";
export type * from "./api/types/log.js";
export type * from "./api/types/model.js";
export type * from "./api/types/run.js";
export type * from "./api/types/status.js";
export type * from "./api/types/task.js";
export type * from "./api/types/worker.js";
export { type ErrorCode, IsobatchError } from "./shared/errors.js";
export type { LayersModel, TensorFlow } from "./tasks/tfjs/types.js";

/**
 * Trains a task on a cluster on this machine: a server in this process, and its own worker processes. Other machines may join it
 * too. Resolves once the server is up; `result` of the run says what came of it.
 *
 * The same call on the same run directory resumes the run where it was, to the same bits, also after a crash.
 *
 * @param task a built-in's name, a file, or the task itself
 * @throws IsobatchError `invalid_input` for what is wrong with task, options, data or run directory; `refused` while another server uses the directory;
 * `unavailable` if a backend that was asked for does not work here; `interrupted` if the signal comes before the run has started
 *
 * @example
 * ```js
 * import { train } from "isobatch";
 *
 * const run = await train("mnist", { workers: 2, steps: 20, out: "runs/first" });
 * for await (const event of run.events()) {
 *   if (event.type === "step") console.log(`${event.samples} samples: loss ${event.loss.toFixed(3)}`);
 * }
 * const { outcome, summary } = await run.result;
 * console.log(outcome, summary.finalEvaluation?.accuracy, summary.stateHash);
 * ```
 */
export async function train(task: TaskSource, options: TrainOptions = {}): Promise<TrainingRun> {
  return (await import("./api/train.js")).train(task, options);
}

/**
 * Serves a task to workers that join from this machine or others; see {@link join}. It starts no workers itself. Resolves once the server
 * is up. Off loopback addresses connections are encrypted unless `tls` says otherwise.
 *
 * @param task a built-in's name, a file, or the task itself
 * @throws IsobatchError as {@link train}; `unavailable` if the address can't be listened at
 *
 * @example
 * ```js
 * import { join, serve } from "isobatch";
 *
 * const server = await serve("mnist", { steps: 20, out: "runs/shared", listen: "127.0.0.1:0" });
 * // On any machine that reaches the server:
 * const worker = await join(server.joinAddress, { token: server.token });
 * const { summary } = await server.result;
 * console.log(summary.steps, (await worker.result).reason);
 * ```
 */
export async function serve(task: TaskSource, options: ServeOptions = {}): Promise<RunServer> {
  return (await import("./api/serve.js")).serve(task, options);
}

/**
 * Joins the run of a server as a worker, and computes for it in threads of this process until the run ends. Model and samples come from the
 * server. Resolves once it has joined. A server that is lost is waited for.
 *
 * @param address HOST:PORT of the server
 * @throws IsobatchError `unavailable` if the server can't be reached, or the backend does not work here; `refused` if the server does not
 * admit this worker; `invalid_input` for wrong options
 *
 * @example
 * ```js
 * import { join, serve } from "isobatch";
 *
 * const server = await serve("mnist", { steps: 20, out: "runs/left", listen: "127.0.0.1:0" });
 * const leaving = new AbortController();
 * const worker = await join(server.joinAddress, { token: server.token, computeThreads: 1, signal: leaving.signal });
 * leaving.abort(); // after the present lease
 * console.log((await worker.result).reason);
 * await server.abort();
 * ```
 */
export async function join(address: string, options: JoinOptions): Promise<JoinedWorker> {
  return (await import("./api/join.js")).join(address, options);
}

/**
 * Evaluates a run's newest sound checkpoint on the test part of its task's data, in a thread of this process.
 *
 * @param out a run directory
 * @throws IsobatchError `invalid_input` if it is none, has no test part, or its data has changed; `damaged` if no checkpoint is sound;
 * `unavailable` if the backend does not work here
 *
 * @example
 * ```js
 * import { evaluate } from "isobatch";
 *
 * const { loss, accuracy, testSamples } = await evaluate("runs/first");
 * console.log(`${testSamples} samples: loss ${loss.toFixed(3)}, accuracy ${(100 * accuracy).toFixed(1)} %`);
 * ```
 */
export async function evaluate(out: string, options: EvaluateOptions = {}): Promise<RunEvaluation> {
  return (await import("./api/evaluate.js")).evaluate(out, options);
}

/**
 * What a run's newest sound checkpoint says about some samples. It loads the model each time; use {@link loadRun} for more than one call.
 *
 * @param out a run directory
 * @param samples each as the data set has it, not scaled: pixels from 0 to 255, a CSV row, a text
 * @throws IsobatchError `invalid_input` if `out` is not a run directory, or a sample has another form; `damaged` if no checkpoint is sound
 *
 * @example
 * ```js
 * import { predict } from "isobatch";
 *
 * const blank = new Uint8Array(28 * 28);
 * const [{ class: digit, probabilities }] = await predict("runs/first", [blank]);
 * console.log(`most like a ${digit}: ${(100 * probabilities[digit]).toFixed(0)} %`);
 * ```
 */
export async function predict(out: string, samples: readonly Sample[]): Promise<Prediction[]> {
  return (await import("./api/predict.js")).predict(out, samples);
}

/**
 * Loads a run's newest sound checkpoint as a TensorFlow.js model of this process, with the names of its classes and the form of its
 * inputs. It computes on TensorFlow.js's current backend, as layers of Isobatch do.
 *
 * @param out a run directory
 * @throws IsobatchError `invalid_input` if it is none; `damaged` if no checkpoint is sound
 *
 * @example
 * ```js
 * import { loadRun } from "isobatch";
 *
 * const run = await loadRun("runs/first");
 * console.log(run.model.countParams(), run.labels, run.input.shape, run.input.scale);
 * const [prediction] = await run.predict([new Uint8Array(28 * 28)]);
 * console.log(prediction.class);
 * run.dispose();
 * ```
 */
export async function loadRun(out: string): Promise<LoadedRun> {
  return (await import("./api/load-run.js")).loadRun(out);
}

/**
 * Writes the weights of a run's newest sound checkpoint in a format that other programs read.
 *
 * @param out a run directory
 * @throws IsobatchError `invalid_input` if it is none, or the target is a folder with files in it; `damaged` if no checkpoint is sound
 *
 * @example
 * ```js
 * import { exportModel } from "isobatch";
 *
 * const { file } = await exportModel("runs/first", { out: "model" });
 * console.log(file); // for tf.loadLayersModel
 * await exportModel("runs/first", { format: "safetensors", out: "mnist.safetensors" });
 * ```
 */
export async function exportModel(out: string, options: ExportOptions = {}): Promise<ExportedModel> {
  return (await import("./api/export-model.js")).exportModel(out, options);
}

/**
 * Returns a task as it is, for its types: what a task module exports, or what is passed to {@link train}.
 *
 * @example
 * ```js
 * import { defineTask, train } from "isobatch";
 *
 * const task = defineTask({
 *   extends: "mnist",
 *   name: "small-mnist",
 *   model: (tf) =>
 *     tf.sequential({
 *       layers: [tf.layers.flatten({ inputShape: [28, 28, 1] }), tf.layers.dense({ units: 10 })],
 *     }),
 *   learningRate: 0.003,
 * });
 * const run = await train(task, { steps: 20, workers: 1, out: "runs/small" });
 * console.log((await run.result).outcome);
 * ```
 */
export function defineTask(definition: TaskDefinition): TaskDefinition {
  return definition;
}

/**
 * Runs an experiment: `"invariance"`, whether the batch size changes the training, or `"elastic"`, whether workers may come and go.
 * Results, figures and a report go to a folder; `"invariance"` resumes where it was.
 *
 * @throws IsobatchError `invalid_input` for options that make no experiment; `refused` if the folder holds another one
 *
 * @example
 * ```js
 * import { experiment } from "isobatch";
 *
 * const { cells, floors } = await experiment("invariance", {
 *   task: "mnist",
 *   arms: ["invariant-linear", "sqrt"],
 *   kappa: [4],
 *   lr: [1e-3],
 *   seeds: [0],
 *   microBatches: 16,
 *   evaluateEvery: 8,
 *   evaluationSamples: 200,
 *   processes: 1,
 *   backend: "wasm",
 *   out: "runs/invariance",
 * });
 * for (const { arm, kappa, gap } of cells) console.log(arm, kappa, gap, floors[0].order);
 * ```
 */
export async function experiment(kind: "invariance", options: InvarianceOptions): Promise<InvarianceOutcome>;
/** The same for `"elastic"`, in which real worker processes join and leave during a run. */
export async function experiment(kind: "elastic", options?: ElasticOptions): Promise<ElasticOutcome>;
export async function experiment(
  kind: "invariance" | "elastic",
  options: InvarianceOptions | ElasticOptions = {},
): Promise<InvarianceOutcome | ElasticOutcome> {
  const { checkKind, elastic, invariance } = await import("./api/experiment/index.js");
  checkKind(kind);
  return kind === "elastic" ? elastic(options as ElasticOptions) : invariance(options as InvarianceOptions);
}
