/**
 * κ, the micro-batches of a step, may change from step to step: it follows the live workers, or the gradient noise
 * scale. Micro-batches keep their numbers n whatever κ does, so the order of the data is the same; but sums, and with
 * them bits, depend on κ. So each change is recorded as a fact, and a run that rolls back, or another one that replays
 * it, takes κ from the record and not from its own workers.
 */

/** A number: κ is always this. Otherwise κ is between `min` and `max`. */
export type KappaRule =
  | number
  /** The number of micro-batches per live worker. */
  | { readonly perWorker: number; readonly min: number; readonly max: number }
  /** κ·b as a multiple of the gradient noise scale; `min` is at least 2, because one micro-batch shows no noise. */
  | { readonly perNoiseScale: number; readonly min: number; readonly max: number };

/** From step `step` on, until the next fact, κ is `microBatches`. */
export interface KappaFact {
  readonly step: number;
  /** The number n of the step's first micro-batch. */
  readonly firstMicroBatch: number;
  readonly microBatches: number;
  readonly reason: string;
}

export function largestKappa(rule: KappaRule): number {
  return typeof rule === "number" ? rule : rule.max;
}

/** κ with this many live workers, as far as it follows them. */
export function kappaWith(rule: KappaRule, workers: number, otherwise: number): number {
  if (typeof rule === "number") return rule;
  return "perWorker" in rule ? Math.min(rule.max, Math.max(rule.min, rule.perWorker * workers)) : otherwise;
}

/** The fact that κ of step `step` follows from; undefined before the first. @param record by ascending step */
export function kappaFactOf(record: readonly KappaFact[], step: number): KappaFact | undefined {
  return record.findLast((fact) => fact.step <= step);
}

/**
 * Checks that a list is a record: it starts at step 0, its steps ascend, and each fact starts where the previous one
 * leads.
 * @returns what is wrong with it; undefined if nothing is
 */
export function recordFault(record: readonly KappaFact[]): string | undefined {
  const wholes = (fact: KappaFact): boolean =>
    [fact.step, fact.firstMicroBatch, fact.microBatches - 1].every(
      (value) => Number.isSafeInteger(value) && value >= 0,
    );
  const broken = record.findIndex((fact) => !wholes(fact));
  if (broken >= 0) return `its fact ${broken + 1} has no whole step, firstMicroBatch and microBatches`;
  if (record.length === 0) return "it has no fact";
  if (record[0].step !== 0 || record[0].firstMicroBatch !== 0) return "it does not start with step 0";
  for (let i = 1; i < record.length; i++) {
    const { step, firstMicroBatch } = record[i];
    if (step <= record[i - 1].step) return `step ${step} comes after step ${record[i - 1].step}`;
    const expected = firstMicroBatchOf(record[i - 1], step);
    if (firstMicroBatch !== expected) return `step ${step} starts at micro-batch ${firstMicroBatch}, not ${expected}`;
  }
  return undefined;
}

/** The number n of step `step`'s first micro-batch, if κ is the fact's until then. */
export function firstMicroBatchOf(fact: KappaFact, step: number): number {
  return fact.firstMicroBatch + (step - fact.step) * fact.microBatches;
}

/** The rule in words, for people. */
export function kappaRuleText(rule: KappaRule): string {
  if (typeof rule === "number") return `always ${rule}`;
  const range = `from ${rule.min} to ${rule.max}`;
  return "perWorker" in rule
    ? `${rule.perWorker} per worker, ${range}`
    : `${rule.perNoiseScale} of the noise scale, ${range}`;
}
