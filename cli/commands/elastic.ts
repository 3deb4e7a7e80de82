/** `isobatch experiment elastic`: one run whose workers come and go, against the same run with one worker. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { isBackendName } from "../../backends/index.js";
import {
  drawElastic,
  type ElasticResult,
  FLOORS_MAX,
  findArm,
  judgeElastic,
  type TrainedState,
  trainInProcess,
} from "../../experiment/index.js";
import { writeFileDurably } from "../../shared/durable-file.js";
import { invalid } from "../../shared/errors.js";
import { makeFolders } from "../../shared/folders.js";
import { seedOf } from "../../shared/random.js";
import { type PreparedTask, prepareTask, resolveTask, type Task } from "../../tasks/index.js";
import type { Environment } from "../environment.js";
import { runElastic } from "../experiment/elastic-run.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts } from "../interrupts.js";
import { openLog } from "../log.js";
import { reportOnly } from "../output.js";
import { count } from "../progress/format.js";
import { table } from "../progress/table.js";

export interface ElasticOptions {
  readonly arms: readonly string[];
  readonly workers: readonly number[];
  readonly samples: number;
  readonly lr: number;
  readonly seed: number;
  readonly backend: string;
  readonly out: string;
}

const EVALUATIONS = 48;

/** A small net on MNIST, with the betas of the paper: the linear rule then reaches κ = 100. */
function taskOf(options: ElasticOptions, optimizer: Task["optimizer"]): Task {
  const { workers, samples, lr, seed } = options;
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
    ...{ samples, learningRate: lr, seed, beta1: 0.99, beta2: 0.999, optimizer },
    evaluateEverySamples: Math.ceil(samples / EVALUATIONS),
    checkpointEverySamples: samples,
  });
}

/** Resolves with the process's exit code: 1 if an invariant arm did not coincide or a record did not leave its bits. */
export async function elastic(options: ElasticOptions, environment: Environment): Promise<number> {
  const { backend, out, workers } = options;
  if (!isBackendName(backend)) return invalid(`--backend is "${backend}"; isobatch doctor lists them.`);
  if (Math.max(...workers) < 2) invalid(`--workers is ${workers.join(",")}; name at least one number above 1.`);
  const arms = options.arms.map(findArm);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  const unlisten = onInterrupts({ interrupt: stop, abort: () => process.exit(EXIT_INTERRUPTED), terminate: stop });
  const unreport = reportOnly(stop);
  const log = openLog(environment, "error");
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const results: ElasticResult[] = [];
  try {
    makeFolders(out);
    let prepared: PreparedTask | undefined;
    for (const arm of arms) {
      const task = taskOf(options, arm.optimizer);
      prepared ??= await prepareTask(task);
      const folder = join(out, arm.name);
      rmSync(folder, { recursive: true, force: true });
      print(`${arm.name}: workers ${workers.join(" → ")}, κ follows, ${count(task.samples)} samples`);
      const notice = (line: string): void => print(`  ${line}`);
      const run = await runElastic({
        ...{ task, out: folder, workers, backend, environment, log, signal: stopping.signal, notice },
      });
      const at = new Set(run.evaluations.map(({ samples }) => samples));
      const alone = { ...task, microBatchesPerStep: 1 };
      const train = (of: Task, more: object): Promise<TrainedState> =>
        trainInProcess(of, { backend, prepared: prepared!, evaluateAt: at, evaluateFirst: true, ...more });
      const replayed = await train(task, { kappaRecord: run.record, evaluate: false });
      const one = await train(alone, {});
      const other = await train(alone, { orderSeed: seedOf(options.seed, "another order") });
      const curve = (evaluations: readonly { readonly samples: number; readonly loss: number }[]) => ({
        samples: evaluations.map(({ samples }) => samples),
        losses: evaluations.map(({ loss }) => loss),
      });
      results.push({
        arm: arm.name,
        elastic: curve(run.evaluations),
        singleWorker: curve(one.evaluations),
        otherOrder: curve(other.evaluations),
        kappas: run.record.map(({ firstMicroBatch, microBatches: kappa, reason }) => ({
          ...{ samples: firstMicroBatch * task.microBatchSize, kappa, reason },
        })),
        ...{ stateHash: run.summary.stateHash, replayedHash: replayed.stateHash },
      });
      print(`  ${verdictLine(results.at(-1)!)}`);
    }
  } finally {
    unlisten();
    unreport();
  }
  const verdicts = results.map(judgeElastic);
  writeFileDurably(join(out, "elastic.json"), `${JSON.stringify({ options, verdicts, results }, null, 2)}\n`);
  writeFileDurably(join(out, "elastic.svg"), drawElastic(results, workers));
  print("");
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const rows = verdicts.map(({ arm, gap, floor, signed, coincides, sameBits }) => [
    ...[arm, percent(gap), percent(signed), percent(floor)],
    ...[coincides ? "yes" : "no", sameBits ? "yes" : "no"],
  ]);
  const head = ["arm", "gap", "signed", "floor", `gap ≤ ${FLOORS_MAX} floors`, "record leaves the same bits"];
  for (const line of table([head, ...rows])) print(line);
  print(`figure in ${join(out, "elastic.svg")}`);
  const wanted = ({ arm, coincides, sameBits }: (typeof verdicts)[number]): boolean =>
    sameBits && (coincides || !arm.startsWith("invariant"));
  return verdicts.every(wanted) ? 0 : 1;
}

function verdictLine(result: ElasticResult): string {
  const { gap, floor } = judgeElastic(result);
  return `gap ${gap.toPrecision(3)}, floor ${floor.toPrecision(3)}`;
}
