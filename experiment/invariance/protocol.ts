/**
 * What the experiment compares. Every arm starts from the same weights and sees the same micro-batches in the same
 * order; only κ differs. Lengths are in micro-batches, so that all runs end after the same samples.
 */
import { IsobatchError, invalid } from "../../shared/errors.js";
import { microBatchesOf, resolveTask, type Task } from "../../tasks/index.js";
import { type Arm, findArm } from "./arms.js";

/** What a person asks for; what is left out is the task's own, or derived from the rest. */
export interface ProtocolInput {
  readonly arms: readonly string[];
  readonly kappas: readonly number[];
  readonly learningRates: readonly number[];
  readonly seeds: readonly number[];
  /** A run's length in micro-batches; by default the task's. */
  readonly microBatches?: number;
  /** Evaluate after this many micro-batches; by default 32 times per run. */
  readonly evaluateEvery?: number;
}

/** The experiment in full: with the task and a numerics class it fixes every number that comes out. */
export interface Protocol {
  readonly arms: readonly Arm[];
  /** The κ above 1, ascending. */
  readonly kappas: readonly number[];
  readonly learningRates: readonly number[];
  readonly seeds: readonly number[];
  readonly microBatches: number;
  /** A multiple of every κ, and a divisor of `microBatches`. */
  readonly evaluateEvery: number;
}

const EVALUATIONS = 32;
const RUNS_MAX = 100_000;

/**
 * Completes and checks the protocol for a task, which must then be lengthened or cut to `microBatches`.
 * @throws {IsobatchError} `invalid_input`.
 */
export function createProtocol(task: Task, input: ProtocolInput): Protocol {
  const arms = distinct(
    "--arms",
    input.arms.map(findArm).map(({ name }) => name),
  ).map(findArm);
  const kappas = distinct("--kappa", input.kappas)
    .filter((kappa) => kappa !== 1)
    .sort((a, b) => a - b);
  if (kappas.length === 0)
    invalid("--kappa has no number above 1; give at least one to compare with κ = 1, such as 4.");
  const learningRates = distinct("--lr", input.learningRates);
  const seeds = distinct("--seeds", input.seeds);
  const runs = seeds.length * learningRates.length * (kappas.length * arms.length + 3);
  if (runs > RUNS_MAX) invalid(`This experiment has ${runs} runs; ${RUNS_MAX} is the most: name fewer of something.`);

  const common = kappas.reduce(leastCommonMultiple, 1);
  const wanted = input.microBatches ?? microBatchesOf(task);
  const evaluateEvery = input.evaluateEvery ?? Math.max(common, Math.floor(wanted / EVALUATIONS / common) * common);
  for (const kappa of kappas) {
    if (evaluateEvery % kappa === 0) continue;
    invalid(
      `--evaluate-every is ${evaluateEvery}, but must be a multiple of every κ, and ${kappa} does not divide it; ` +
        `take a multiple of ${common}.`,
    );
  }
  // The task's own length need not be a multiple: the remainder is left out.
  const microBatches = input.microBatches ?? Math.floor(wanted / evaluateEvery) * evaluateEvery;
  if (microBatches < evaluateEvery || microBatches % evaluateEvery !== 0) {
    invalid(
      `The runs are ${wanted} micro-batches long, but must be a multiple of the ${evaluateEvery} after which they are ` +
        "evaluated; change --micro-batches or --evaluate-every.",
    );
  }
  return { arms, kappas, learningRates, seeds, microBatches, evaluateEvery };
}

/**
 * The task of one run. All tasks are made before the first run is trained, so that a rule that has no meaning at
 * some κ ends the experiment at its start.
 * @throws {IsobatchError} `invalid_input`.
 */
export function taskOfRun(
  task: Task,
  { microBatches, evaluateEvery }: Pick<Protocol, "microBatches" | "evaluateEvery">,
  run: { readonly arm: Arm; readonly kappa: number; readonly learningRate: number; readonly seed: number },
): Task {
  const { arm, kappa, learningRate, seed } = run;
  const samples = microBatches * task.microBatchSize;
  const { schedule } = task;
  try {
    return resolveTask(arm.name, {
      ...task,
      seed,
      learningRate,
      samples,
      optimizer: arm.optimizer,
      microBatchesPerStep: kappa,
      // A schedule that ends with the task's run ends with this one.
      schedule: { ...schedule, totalSamples: schedule.totalSamples === task.samples ? samples : schedule.totalSamples },
      evaluateEverySamples: evaluateEvery * task.microBatchSize,
    });
  } catch (error) {
    if (!(error instanceof IsobatchError)) throw error;
    throw new IsobatchError(error.code, `${error.message} To compare the others, leave this arm or κ out.`);
  }
}

function distinct<Value extends string | number>(option: string, values: readonly Value[]): Value[] {
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) invalid(`${option} has ${twice} twice; name everything once.`);
  if (values.length === 0) invalid(`${option} is empty; name at least one.`);
  return [...values];
}

function leastCommonMultiple(a: number, b: number): number {
  const divisor = (x: number, y: number): number => (y === 0 ? x : divisor(y, x % y));
  return (a / divisor(a, b)) * b;
}
