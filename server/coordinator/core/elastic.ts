import { noiseScale, type SmoothedNoise } from "../../../shared/optimizer/index.js";
import {
  firstMicroBatchOf,
  type KappaFact,
  type KappaRule,
  kappaFactOf,
  kappaWith,
  type StepCoefficients,
} from "../../../shared/steps/index.js";
import { enoughWorkers } from "./leasing.js";
import { type CoordinatorRun, emit } from "./run.js";
import { isLive } from "./workers.js";

/**
 * κ of the next step. If the record has a step's κ, that applies, whichever workers are present: so a run that rolls
 * back takes the same steps again. Only for a step beyond the record's last fact is κ decided, from the live workers or
 * the noise. A change is a fact, and is durable before the first lease under it.
 *
 * A fact does not say for how long its κ was in force. So before a rollback from a step beyond the last fact, a fact
 * that changes nothing is added to mark how far its κ applied: otherwise the steps in between could have another κ the
 * second time.
 */

/** At each change κ follows the noise by at most this factor, ... */
const NOISE_FACTOR_MAX = 2;
/** ... by at least this one, so that κ settles, ... */
const NOISE_FACTOR_MIN = 1.25;
/**
 * ... and only after this many steps, so that the smoothed noise, in which a step weighs a 50th, reflects the previous
 * change.
 */
const NOISE_STEPS_MIN = 20;

/** κ of the step that starts at the boundary; undefined while it has to wait, for workers or for the record. */
export function microBatchesOfStep(run: CoordinatorRun): number | undefined {
  const { microBatchesPerStep: rule, microBatchesTotal, replay } = run.options;
  const { mark, kappaRecord: record } = run.state;
  const left = microBatchesTotal - mark.microBatches;
  if (typeof rule === "number" && !replay) return Math.min(rule, left);
  const last = record.at(-1);
  if (last === undefined || mark.step > last.step) {
    if (!replay && !enoughWorkers(run)) {
      run.undecided = true;
      return undefined;
    }
    const fact = decide(run, rule, last, left);
    if (fact.microBatches !== last?.microBatches) add(run, fact);
  }
  const fact = kappaFactOf(record, mark.step)!;
  return record.indexOf(fact) < run.kappaSaved ? Math.min(fact.microBatches, left) : undefined;
}

/** Announces, once, that the step being opened is the first at its κ. */
export function announceKappa(run: CoordinatorRun, coefficients: StepCoefficients): void {
  const { kappaRecord: record, mark } = run.state;
  const at = record.findIndex(({ step }) => step === mark.step);
  if (at < 0 || mark.step <= run.kappaAnnounced) return;
  run.kappaAnnounced = mark.step;
  const before = record[at - 1]?.microBatches;
  if (before !== record[at].microBatches) emit(run, { kind: "kappaChanged", fact: record[at], before, coefficients });
}

/**
 * Before a rollback, records that the last κ applied up to the furthest step, so that these steps are repeated with it.
 */
export function limitKappaToCommitted(run: CoordinatorRun): void {
  const last = run.state.kappaRecord.at(-1);
  const step = Math.max(run.furthestStep, run.options.stepsBefore) - 1;
  if (last === undefined || step <= last.step) return;
  const firstMicroBatch = firstMicroBatchOf(last, step);
  add(run, { step, firstMicroBatch, microBatches: last.microBatches, reason: "the run rolled back from here" });
}

/** n at the boundary before the present one. */
export function boundaryBefore({ options, state: { mark, kappaRecord } }: CoordinatorRun): number {
  const { microBatchesPerStep: rule } = options;
  const kappa = kappaFactOf(kappaRecord, mark.step - 1)?.microBatches ?? (typeof rule === "number" ? rule : 0);
  return mark.microBatches - Math.min(mark.microBatches, kappa);
}

/** The first step with the present κ; facts that change nothing do not count. */
function newestChange(record: readonly KappaFact[]): number {
  const now = record.at(-1)?.microBatches;
  const other = record.findLastIndex(({ microBatches }) => microBatches !== now);
  return record[other + 1]?.step ?? 0;
}

function add(run: CoordinatorRun, fact: KappaFact): void {
  run.state.kappaRecord.push(fact);
  emit(run, { kind: "saveKappa", facts: [fact] });
}

function decide(run: CoordinatorRun, rule: KappaRule, last: KappaFact | undefined, left: number): KappaFact {
  const { mark } = run.state;
  const { kappa, reason } = wanted(run, rule, last);
  return {
    step: mark.step,
    firstMicroBatch: mark.microBatches,
    microBatches: Math.min(kappa, left),
    reason: kappa > left ? "the run's last micro-batches" : reason,
  };
}

function wanted(run: CoordinatorRun, rule: KappaRule, last: KappaFact | undefined): { kappa: number; reason: string } {
  if (run.options.replay) return { kappa: last!.microBatches, reason: last!.reason };
  if (typeof rule === "number") return { kappa: rule, reason: "the task" };
  if ("perNoiseScale" in rule) {
    const { microBatchSize } = run.options;
    const steps = run.state.mark.step - newestChange(run.state.kappaRecord);
    const kappa =
      last === undefined ? rule.min : kappaByNoise(rule, run.state.noise, microBatchSize, last.microBatches, steps);
    const scale = noiseScale(run.state.noise);
    return {
      kappa,
      reason: scale === undefined ? "the start" : `gradient noise scale ${Number(scale.toPrecision(3))}`,
    };
  }
  const live = new Set([...run.state.workers.values()].filter(isLive).map(({ worker }) => worker));
  // There are no workers to follow: those that come next may be as many as there were.
  if (live.size === 0) return { kappa: last?.microBatches ?? rule.min, reason: "no workers" };
  const kappa = kappaWith(rule, live.size, rule.min);
  const reason = whatChanged(run.workersAtChange, live, last === undefined);
  if (kappa !== last?.microBatches) run.workersAtChange = live;
  return { kappa, reason };
}

/** κ for a batch of `perNoiseScale` times the noise scale, at most double or half of the present κ. */
export function kappaByNoise(
  { perNoiseScale, min, max }: Extract<KappaRule, { perNoiseScale: number }>,
  noise: SmoothedNoise,
  microBatchSize: number,
  present: number,
  stepsAtPresent: number,
): number {
  const within = (kappa: number): number => Math.min(max, Math.max(min, kappa));
  const scale = noiseScale(noise);
  if (scale === undefined || stepsAtPresent < NOISE_STEPS_MIN) return within(present);
  const target = within((perNoiseScale * scale) / microBatchSize);
  const factor = target / present;
  if (factor < NOISE_FACTOR_MIN && factor > 1 / NOISE_FACTOR_MIN) return within(present);
  const bounded = Math.min(present * NOISE_FACTOR_MAX, Math.max(present / NOISE_FACTOR_MAX, target));
  return within(Math.round(bounded));
}

/** E.g. "worker a-3 joined: 3 workers". */
function whatChanged(before: ReadonlySet<string>, now: ReadonlySet<string>, first: boolean): string {
  const joined = [...now].filter((worker) => !before.has(worker));
  const left = [...before].filter((worker) => !now.has(worker));
  const said = (names: readonly string[], verb: string): string[] =>
    names.length === 0 ? [] : [names.length === 1 ? `worker ${names[0]} ${verb}` : `${names.length} workers ${verb}`];
  const what = first || before.size === 0 ? [] : [...said(joined, "joined"), ...said(left, "left")];
  const count = now.size === 1 ? "1 worker" : `${now.size} workers`;
  return what.length === 0 ? count : `${what.join(", ")}: ${count}`;
}
