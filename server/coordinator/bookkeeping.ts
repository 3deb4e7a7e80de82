import { failAt } from "../../shared/fail-point.js";
import type { Logger } from "../../shared/log.js";
import { began, span } from "../../shared/trace/index.js";
import type { EventLine, LedgerLine, MetricsLine, RunRecord } from "../record/index.js";
import { createBacklog } from "./backlog.js";
import type { CommittedStep, CoordinatorEffect } from "./core/index.js";
import type { Members } from "./members.js";
import { createProgress, type Earlier, type Progress } from "./progress.js";
import type { Recorder } from "./record.js";
import { createSpeed, type Speed } from "./speed.js";

type Effect<Kind extends CoordinatorEffect["kind"]> = Extract<CoordinatorEffect, { readonly kind: Kind }>;

/**
 * Keeps the run directory's records, and what status and displays show, up to date with what the core decides.
 *
 * A committed step is recorded a moment later, so that the next step's weights, plan and leases do not wait for it. If
 * the process dies in between, the record lacks steps that were committed, and the next process does not know of them.
 * This is harmless as long as they are computed again. So the record catches up before a checkpoint that includes them
 * is ordered, and before any other line is written.
 */
export interface Bookkeeping {
  readonly progress: Progress;
  readonly speed: Speed;
  /** A worker has reported how long a thread waited for samples in one of its leases. */
  waitedForSamples(ms: number): void;
  committed(commit: CommittedStep): void;
  evaluated(evaluation: Effect<"evaluation">): void;
  /** The checkpoint of this step is on the disks of all shards. */
  checkpointWritten(step: number): void;
  rolledBack(effect: Effect<"rolledBack">): void;
  kappaChanged(effect: Effect<"kappaChanged">): void;
  /** Records an event a moment later, as steps are, so that the order is kept and nobody waits. */
  record(line: EventLine): void;
  note(message: string): void;
  /** Records everything that is not recorded yet: a checkpoint is about to be ordered, or the run ends. */
  catchUp(): void;
}

export interface BookkeepingOptions {
  readonly microBatchSize: number;
  readonly recorder: Recorder;
  readonly metrics: RunRecord<MetricsLine>;
  readonly ledger: RunRecord<LedgerLine>;
  readonly members: Pick<Members, "get">;
  readonly earlier: Earlier;
  readonly log: Logger;
  /** Called with the reason when a step that nobody waits for could not be recorded. */
  onFailed(error: unknown): void;
}

export function createBookkeeping(options: BookkeepingOptions): Bookkeeping {
  const { microBatchSize: b, recorder, metrics, ledger, members, earlier, log } = options;
  const speed = createSpeed();
  const progress = createProgress(earlier, speed);
  // A step that an earlier process committed after the newest checkpoint will be computed again.
  let stepsBefore = earlier.steps;
  let samplesMs = 0;

  const backlog = createBacklog(options.onFailed);

  function event(name: string, details: Record<string, unknown>): void {
    backlog.catchUp();
    metrics.append({ type: "event", event: name, at: new Date().toISOString(), ...details });
  }

  function recordStep(commit: CommittedStep, waitedMs: number, atMs: number): void {
    failAt("coordinator.record");
    const begun = began();
    const line = recorder.step(commit, waitedMs);
    metrics.append(line);
    log.debug({ term: commit.term, step: line.step, loss: line.loss }, "step committed");
    for (const entry of recorder.ledger(commit)) ledger.append(entry);
    for (const { lo, hi, worker } of commit.scalars[0].ledger[0]?.ranges ?? []) {
      const member = members.get(worker);
      if (member !== undefined) member.microBatches += hi - lo;
    }
    progress.lastStep = line;
    progress.furthestStep = Math.max(progress.furthestStep, line.step + 1);
    const samples = commit.plan.microBatches * b;
    progress.samplesOfProcess += samples;
    const { step: stepMs, compute: computeMs } = commit.ms;
    speed.committed({ samples, atMs, stepMs, computeMs });
    span("record", begun, line.step);
  }

  function standsAt(step: number): void {
    progress.checkpointStep = step;
    progress.checkpointAtMs = performance.now();
  }

  return {
    progress,
    speed,

    waitedForSamples(ms) {
      samplesMs = Math.max(samplesMs, ms);
    },

    committed(commit) {
      const waitedMs = samplesMs;
      samplesMs = 0;
      const atMs = performance.now();
      backlog.add(() => recordStep(commit, waitedMs, atMs));
    },

    evaluated(evaluation) {
      backlog.catchUp();
      const line = recorder.evaluation(evaluation);
      progress.lastEvaluation = line;
      metrics.append(line);
    },

    checkpointWritten(step) {
      backlog.catchUp();
      // What the record says of these steps must not be lost by a crash that the weights survive.
      metrics.sync();
      ledger.sync();
      standsAt(step);
      event("checkpoint", { step });
    },

    rolledBack({ term, mark: { step }, recomputed }) {
      backlog.catchUp();
      const recomputedSteps = stepsBefore === undefined ? recomputed : Math.max(0, stepsBefore - step);
      stepsBefore = undefined;
      progress.recomputedSteps += recomputedSteps;
      metrics.cutBack(step);
      ledger.cutBack(step);
      speed.restart();
      standsAt(step);
      event("restored", { term, step, recomputedSteps });
      log.info({ term, step, recomputedSteps }, "the run is at a checkpoint");
    },

    kappaChanged({ fact, before, coefficients }) {
      const { step, firstMicroBatch, microBatches: kappa, reason } = fact;
      const { learningRate, gamma1, gamma2 } = coefficients;
      const from = before ?? null;
      event("kappa", { step, samples: firstMicroBatch * b, from, kappa, reason, learningRate, gamma1, gamma2 });
      log.info({ step, from, kappa, reason }, "micro-batches per step");
    },

    record: (line) => backlog.add(() => metrics.append(line)),

    note: (message) => event("note", { message }),

    catchUp: backlog.catchUp,
  };
}
