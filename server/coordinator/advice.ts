import { kappaWith } from "../../shared/steps/index.js";
import type { Task } from "../../tasks/index.js";
import type { CoordinatorState } from "./core/index.js";
import type { Member } from "./members.js";
import { createSteady, type Steady } from "./steady.js";

/**
 * How many workers are worth having. A step with κ micro-batches of b samples makes progress in proportion to 1/(1 +
 * B_simple/(κ·b)) (McCandlish et al. 2018, "An Empirical Model of Large-Batch Training", 1812.06162, where B_simple is
 * the gradient noise scale), and takes as long as its busiest worker computes, plus what another worker does not
 * shorten: weights, pushes, merging, the update. So progress per second rises with the workers, by less and less, and
 * stops rising when a step has no micro-batch left for one more.
 */
export interface AdviceInputs {
  /** b, in samples. */
  readonly microBatchSize: number;
  /** κ with this many workers. */
  microBatchesAt(workers: number): number;
  /** B_simple, in samples; undefined while it is not resolved. */
  readonly noiseScale: number | undefined;
  /** The average number of a worker's compute threads. */
  readonly computeThreads: number;
  /** The milliseconds that one thread takes for a micro-batch; undefined until measured. */
  readonly threadMs: number | undefined;
  /** The milliseconds of a step in which its slowest worker is not computing. */
  readonly overheadMs: number;
}

/** Minimum parallel efficiency: n workers must reach at least this fraction of n times one worker's progress. */
const EFFICIENCY_MIN = 0.5;
const WORKERS_MAX = 1_024;

/**
 * The largest number of workers at which each still adds to the progress per second, and parallel efficiency is at
 * least EFFICIENCY_MIN.
 * @returns undefined if κ follows the workers and the noise scale, which limits κ, is not resolved yet
 */
export function workersAdvised(inputs: AdviceInputs): number | undefined {
  const { microBatchSize, microBatchesAt, noiseScale, computeThreads, threadMs = 1, overheadMs } = inputs;
  const follows = microBatchesAt(1) !== microBatchesAt(WORKERS_MAX);
  if (follows && noiseScale === undefined) return undefined;
  const progressPerMs = (workers: number): number => {
    const kappa = microBatchesAt(workers);
    // While κ does not change, neither does a step's progress.
    const worth = follows ? 1 / (1 + noiseScale! / (kappa * microBatchSize)) : 1;
    const rounds = Math.ceil(kappa / (workers * Math.max(1, computeThreads)));
    return worth / (rounds * threadMs + overheadMs);
  };
  const single = progressPerMs(1);
  let [best, advised] = [single, 1];
  for (let workers = 2; workers <= WORKERS_MAX; workers++) {
    const progress = progressPerMs(workers);
    if (progress < EFFICIENCY_MIN * workers * single) continue;
    if (progress > best * (1 + 1e-9)) [best, advised] = [progress, workers];
  }
  return advised;
}

/** The noise scale must exceed the largest batch by this factor before the advice mentions it. */
const NOISE_MARGIN = 2;
const UNKNOWN = "how many workers help is not known yet: a few more steps must show the gradient noise";

/** The advised number is shown until the measured one has differed from it this long. */
const ADVICE_HOLD_MS = 10_000;

/** The advised number of workers as people see it: measured speeds vary, and the number must not flicker. */
export function createSteadyAdvice(): Steady<number | undefined> {
  return createSteady(
    ADVICE_HOLD_MS,
    (shown, measured) => shown === measured || shown === undefined || measured === undefined,
  );
}

export interface Advice {
  /** 0: not known yet. */
  readonly workers: number;
  /** A sentence without its full stop. */
  readonly text: string;
}

/**
 * The advice as a sentence, for a run with `present` workers.
 * @param workers how many are advised, where that is not taken from the inputs as they are at this moment
 */
export function advise(inputs: AdviceInputs, present: number, workers = workersAdvised(inputs)): Advice {
  if (workers === undefined) return { workers: 0, text: UNKNOWN };
  if (workers >= WORKERS_MAX) return { workers, text: "adding workers makes training faster" };
  const text =
    present < workers
      ? `up to ${workers} workers make training faster; more don't`
      : `${workers === 1 ? "1 worker is" : `${workers} workers are`} enough; another one would not make training faster`;
  const { noiseScale, microBatchSize, microBatchesAt } = inputs;
  const most = microBatchesAt(WORKERS_MAX);
  // What limits the workers is κ, clearly: without a margin the remark would come and go with the measured noise.
  const allowsMore = noiseScale !== undefined && noiseScale > NOISE_MARGIN * most * microBatchSize;
  return { workers, text: allowsMore ? `${text} (κ is at most ${most}; the gradient noise would allow more)` : text };
}

/** The inputs as they are measured on the run now. */
export function adviceInputs(
  task: Task,
  attached: readonly Pick<Member, "id" | "computeThreads">[],
  state: Pick<CoordinatorState, "workers" | "microBatches">,
  noiseScale: number | undefined,
  overheadMs: number,
): AdviceInputs {
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const threadMs = attached.flatMap(({ id, computeThreads }) => {
    const itemMs = state.workers.get(id)?.itemMs.step;
    return itemMs === undefined ? [] : [itemMs * Math.max(1, computeThreads)];
  });
  return {
    microBatchSize: task.microBatchSize,
    microBatchesAt: (workers) => kappaWith(task.microBatchesPerStep, workers, state.microBatches),
    noiseScale,
    computeThreads: attached.length === 0 ? 1 : mean(attached.map(({ computeThreads }) => computeThreads)),
    threadMs: threadMs.length === 0 ? undefined : mean(threadMs),
    overheadMs,
  };
}
