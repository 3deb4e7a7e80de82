import type { BackendName, BackendSettings } from "../../backends/machine/index.js";
import { type Evaluation, trainInProcess } from "../../experiment/index.js";
import type { KappaFact } from "../../shared/steps/index.js";
import { prepareTask, type Task } from "../../tasks/index.js";

/** What an elastic run is compared with. */
export interface CompareOrder {
  /** The elastic run's task. */
  readonly task: Task;
  readonly backend: BackendName;
  readonly backendSettings: BackendSettings;
  /** How κ changed in it. */
  readonly record: readonly KappaFact[];
  /** The numbers of samples after which it was evaluated. */
  readonly at: readonly number[];
  /** The seed of another order of the samples. */
  readonly otherSeed: number;
}

export interface ElasticComparison {
  /** The state that the record leaves. */
  readonly replayedHash: string;
  /** One worker: κ = 1 throughout. */
  readonly alone: readonly Evaluation[];
  readonly otherOrder: readonly Evaluation[];
}

/** Trains in this thread. */
export async function compareHere(order: CompareOrder): Promise<ElasticComparison> {
  const { task, backend, backendSettings, record, at, otherSeed } = order;
  const one = { ...task, microBatchesPerStep: 1 };
  const common = {
    backend,
    backendSettings,
    prepared: await prepareTask(task),
    evaluateAt: new Set(at),
    evaluateFirst: true,
  };
  const { stateHash } = await trainInProcess(task, { ...common, kappaRecord: record, evaluate: false });
  const alone = await trainInProcess(one, common);
  const otherOrder = await trainInProcess(one, { ...common, orderSeed: otherSeed });
  return { replayedHash: stateHash, alone: alone.evaluations, otherOrder: otherOrder.evaluations };
}
