/**
 * κ, the micro-batches of a step, may change from step to step: it follows the live workers, or the gradient noise scale.
 * Micro-batches keep their numbers n whatever κ does, so the order of the data is the same; but sums, and with them bits,
 * depend on κ. So each change is kept as a fact, and a run that goes back, or another one that replays it, takes κ from the
 * record and not from its own workers.
 */

/** A number: always so many. Otherwise κ goes from `min` to `max`. */
export type KappaRule =
  | number
  /** So many for each live worker. */
  | { readonly perWorker: number; readonly min: number; readonly max: number }
  /** κ·b is so many times the gradient noise scale; `min` is at least 2, because one micro-batch shows no noise. */
  | { readonly perNoiseScale: number; readonly min: number; readonly max: number };

/** From step `step` on, until the next fact, κ is `microBatches`. */
export interface KappaFact {
  readonly step: number;
  /** n of the step's first micro-batch. */
  readonly firstMicroBatch: number;
  readonly microBatches: number;
  readonly reason: string;
}

export function largestKappa(rule: KappaRule): number {
  return typeof rule === "number" ? rule : rule.max;
}

/** κ with so many live workers, as far as it follows them. */
export function kappaWith(rule: KappaRule, workers: number, otherwise: number): number {
  if (typeof rule === "number") return rule;
  return "perWorker" in rule ? Math.min(rule.max, Math.max(rule.min, rule.perWorker * workers)) : otherwise;
}

/** The fact that κ of step `step` follows from; undefined before the first. @param record by ascending step */
export function kappaFactOf(record: readonly KappaFact[], step: number): KappaFact | undefined {
  return record.findLast((fact) => fact.step <= step);
}

/**
 * Whether a list is a record: from step 0 on, by ascending step, each fact where the one before leads to.
 * @returns what is wrong with it, and undefined if nothing is
 */
export function recordFault(record: readonly KappaFact[]): string | undefined {
  const wholes = (fact: KappaFact): boolean =>
    [fact.step, fact.firstMicroBatch, fact.microBatches - 1].every(
      (value) => Number.isSafeInteger(value) && value >= 0,
    );
  const broken = record.findIndex((fact) => !wholes(fact));
  if (broken >= 0) return `its fact ${broken + 1} has no whole step, firstMicroBatch and microBatches`;
  if (record.length === 0) return "it has no fact";
  if (record[0].step !== 0 || record[0].firstMicroBatch !== 0) return "it does not begin with step 0";
  for (let i = 1; i < record.length; i++) {
    const { step, firstMicroBatch } = record[i];
    if (step <= record[i - 1].step) return `step ${step} comes after step ${record[i - 1].step}`;
    const expected = firstMicroBatchOf(record[i - 1], step);
    if (firstMicroBatch !== expected) return `step ${step} begins at micro-batch ${firstMicroBatch}, not ${expected}`;
  }
  return undefined;
}

/** n of step `step`'s first micro-batch, if κ is the fact's up to there. */
export function firstMicroBatchOf(fact: KappaFact, step: number): number {
  return fact.firstMicroBatch + (step - fact.step) * fact.microBatches;
}

/** In words, for people. */
export function kappaRuleText(rule: KappaRule): string {
  if (typeof rule === "number") return `always ${rule}`;
  const range = `from ${rule.min} to ${rule.max}`;
  return "perWorker" in rule
    ? `${rule.perWorker} for each worker, ${range}`
    : `${rule.perNoiseScale} of the noise scale, ${range}`;
}
