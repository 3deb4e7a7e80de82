/** The experiment `elastic`: one run whose workers come and go, against the same run with one worker. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  type BackendName,
  type BackendSettings,
  isBackendName,
  readBackendSettings,
} from "../../backends/machine/index.js";
import { drawElastic, type ElasticResult, findArm, judgeElastic } from "../../experiment/index.js";
import { writeFileDurably } from "../../shared/durable-file.js";
import { invalid } from "../../shared/errors.js";
import { makeFolders } from "../../shared/folders.js";
import { seedOf } from "../../shared/random.js";
import { resolveTask, type Task } from "../../tasks/index.js";
import { createRecordLog } from "../logging.js";
import { checkOptions } from "../options.js";
import { checkSignal } from "../run/abort.js";
import { callThread } from "../threads/call.js";
import type { ElasticOptions, ElasticOutcome } from "../types/experiment.js";
import type { CompareOrder, ElasticComparison } from "./compare-here.js";
import { type ElasticRun, runElastic } from "./elastic-run.js";

const EVALUATIONS = 48;

/** A small net on MNIST, with the betas of the paper: the linear rule then reaches κ = 100. */
function taskOf({ workers, samples, lr, seed }: ElasticParameters, optimizer: Task["optimizer"]): Task {
  return resolveTask("elastic", {
    name: "elastic",
    model: {
      kind: "sequential",
      layers: [
        { layer: "Flatten", inputShape: [28, 28, 1] },
        { layer: "Dense", units: 32, activation: "relu" },
        { layer: "Dense", units: 10 },
      ],
    },
    loss: "softmaxCrossEntropy",
    dataset: { kind: "mnist", testLimit: 2_000 },
    microBatchSize: 64,
    microBatchesPerStep: { perWorker: 1, min: 1, max: Math.max(...workers) },
    samples,
    learningRate: lr,
    seed,
    beta1: 0.99,
    beta2: 0.999,
    optimizer,
    evaluateEverySamples: Math.ceil(samples / EVALUATIONS),
    checkpointEverySamples: samples,
  });
}

/** The defaults of the experiment, which the command line shows too. */
export const ELASTIC_DEFAULTS = {
  arms: ["invariant-linear", "sqrt", "standard"],
  workers: [1, 4, 2, 8],
  samples: 368_640,
  lr: 3e-4,
  seed: 0,
  backend: "wasm",
  out: "runs/experiment-elastic",
} as const;

type ElasticParameters = Required<Pick<ElasticOptions, keyof typeof ELASTIC_DEFAULTS>>;

function withDefaults(options: ElasticOptions): ElasticParameters {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...ELASTIC_DEFAULTS, ...given } as ElasticParameters;
}

export async function elastic(options: ElasticOptions): Promise<ElasticOutcome> {
  checkOptions("elastic", options);
  const parameters = withDefaults(options);
  const { arms: names, workers, samples, lr, seed, backend, out } = parameters;
  const { signal = new AbortController().signal, settings, onProgress = () => {} } = options;
  checkSignal(signal, "The experiment");
  if (!isBackendName(backend)) return invalid(`--backend is "${backend}"; isobatch doctor lists them.`);
  if (Math.max(...workers) < 2) invalid(`--workers is ${workers.join(",")}; name at least one number above 1.`);
  const arms = names.map(findArm);
  const backendSettings = readBackendSettings(settings ?? {});
  const { onLog, logLevel = "error" } = options;
  const log = createRecordLog({ onLog, logLevel }, logLevel);
  const notice = (message: string): void => onProgress({ type: "note", message });
  const results: ElasticResult[] = [];
  makeFolders(out);
  for (const { name: arm, optimizer } of arms) {
    const task = taskOf(parameters, optimizer);
    const folder = join(out, arm);
    rmSync(folder, { recursive: true, force: true });
    onProgress({ type: "arm", arm, workers, samples: task.samples });
    const run = await runElastic({
      task,
      out: folder,
      workers,
      backend,
      settings,
      log,
      logLevel,
      onLog,
      signal,
      notice,
    });
    const result = resultOf(arm, task, run, await trainToCompare({ task, backend, backendSettings, seed, ...run }));
    const { gap, floor } = judgeElastic(result);
    notice(`gap ${gap.toPrecision(3)}, floor ${floor.toPrecision(3)}`);
    results.push(result);
  }
  const verdicts = results.map(judgeElastic);
  const asked = { arms: names, workers, samples, lr, seed, backend, out };
  writeFileDurably(join(out, "elastic.json"), `${JSON.stringify({ options: asked, verdicts, results }, null, 2)}\n`);
  const figure = join(out, "elastic.svg");
  writeFileDurably(figure, drawElastic(results, workers));
  return { out, figure, arms: verdicts };
}

/** In a thread, one at a time: the record of κ replayed, one worker, and another order of the samples. */
function trainToCompare(input: CompareInput & ElasticRun): Promise<ElasticComparison> {
  const { task, backend, backendSettings, seed, record, evaluations } = input;
  const at = evaluations.map(({ samples }) => samples);
  const order: CompareOrder = { task, backend, backendSettings, record, at, otherSeed: seedOf(seed, "another order") };
  return callThread(new URL("../threads/compare.js", import.meta.url), order);
}

interface CompareInput {
  readonly task: Task;
  readonly backend: BackendName;
  readonly backendSettings: BackendSettings;
  readonly seed: number;
}

function resultOf(arm: string, task: Task, run: ElasticRun, { replayedHash, alone, otherOrder }: ElasticComparison) {
  const { evaluations, record, summary } = run;
  return {
    arm,
    elastic: curveOf(evaluations),
    singleWorker: curveOf(alone),
    otherOrder: curveOf(otherOrder),
    kappas: record.map(({ firstMicroBatch, microBatches: kappa, reason }) => ({
      samples: firstMicroBatch * task.microBatchSize,
      kappa,
      reason,
    })),
    stateHash: summary.stateHash,
    replayedHash,
  };
}

function curveOf(evaluations: readonly { readonly samples: number; readonly loss: number }[]) {
  return { samples: evaluations.map(({ samples }) => samples), losses: evaluations.map(({ loss }) => loss) };
}
