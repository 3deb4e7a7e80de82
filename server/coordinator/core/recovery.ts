import { NO_NOISE } from "../../../shared/optimizer/index.js";
import type { CheckpointMark } from "../../../shared/steps/index.js";
import { atBoundary } from "./boundary.js";
import { boundaryBefore, limitKappaToCommitted } from "./elastic.js";
import { canCompute } from "./leasing.js";
import { type CoordinatorRun, emit, end, note } from "./run.js";
import { loseWeights } from "./workers.js";

/**
 * There is only one way to start: every shard attached → the newest checkpoint they have in common → a new term. A
 * first start, a resumed run, a lost shard, a damaged checkpoint and a stranded step all take it.
 */

/** Grace period for shard reports still in flight when the last holder of a version disappears. */
const STRANDED_MS = 3_000;

export function gather(run: CoordinatorRun): void {
  if (run.state.phase === "ended") return;
  run.state.phase = "gathering";
  run.state.board = undefined;
  run.state.plan = undefined;
  run.writing = undefined;
  if (run.state.shards.some((shard) => !shard.attached)) return;
  const common = [...run.state.shards[0].checkpoints].filter((step) =>
    run.state.shards.every((shard) => shard.checkpoints.has(step)),
  );
  if (common.length === 0) {
    const reason = "no checkpoint is valid on every shard: restore one from a backup, or start again in another folder";
    return end(run, { ok: false, code: "damaged", reason });
  }
  run.target = newestRecorded(run, common);
  run.state.phase = "restoring";
  run.state.term++;
  for (const shard of run.state.shards) shard.restored = undefined;
  for (const worker of run.state.workers.values()) {
    loseWeights(worker);
    worker.running.clear();
  }
  limitKappaToCommitted(run);
  emit(run, { kind: "saveTerm", term: run.state.term });
}

/**
 * The newest checkpoint whose steps are all in the record. Right after a power failure a newer one may be on every
 * disk, but with it the record would lack steps for good. If the record is lost altogether, the checkpoints decide.
 */
function newestRecorded(run: CoordinatorRun, common: readonly number[]): number {
  const recorded = common.filter((step) => step <= run.recordedSteps);
  return Math.max(...(recorded.length > 0 ? recorded : common));
}

/**
 * A step is stranded when some of its chunks are updated and no worker holds its version any more: the rest of the step
 * could never be computed, whichever worker joins. Then the run rolls back.
 */
export function leaveStrandedStep(run: CoordinatorRun): void {
  const { phase, workers, plan } = run.state;
  const open = phase === "stepping" && run.superseded;
  const stranded = open && ![...workers.values()].some((worker) => canCompute(run, worker));
  if (!stranded) run.strandedSinceMs = Number.NaN;
  else if (Number.isNaN(run.strandedSinceMs)) run.strandedSinceMs = run.nowMs;
  else if (run.nowMs - run.strandedSinceMs >= STRANDED_MS) {
    note(
      run,
      "warn",
      `step ${plan?.step} is applied in part and no worker that could finish it is left: the run rolls back`,
    );
    gather(run);
  }
}

export function termSaved(run: CoordinatorRun, term: number): void {
  if (run.state.phase !== "restoring" || term !== run.state.term) return;
  run.savedTerm = term;
  for (const shard of run.state.shards.keys()) emit(run, { kind: "restore", shard, term, step: run.target });
  for (const worker of run.state.workers.keys()) emit(run, { kind: "termOpened", worker, term, version: run.target });
}

export function restored(run: CoordinatorRun, shard: number, term: number, mark: CheckpointMark): void {
  if (run.state.phase !== "restoring" || term !== run.state.term || mark.step !== run.target) return;
  run.state.shards[shard].restored = mark;
  if (run.state.shards.some((other) => other.restored === undefined)) return;
  run.state.mark = mark;
  run.recordedSteps = mark.step;
  run.state.noise = mark.noise ?? NO_NOISE;
  run.previousBoundary = boundaryBefore(run);
  run.evaluatedStep = -1;
  run.orderedStep = mark.step;
  run.checkpointAsked = false;
  run.nonFinite.clear();
  forgetLaterCheckpoints(run);
  emit(run, { kind: "rolledBack", term, mark, recomputed: Math.max(0, run.furthestStep - mark.step) });
  atBoundary(run);
}

/** Checkpoints beyond the restored one belong to void steps, which may be taken again at another κ. */
function forgetLaterCheckpoints(run: CoordinatorRun): void {
  for (const [shard, { checkpoints }] of run.state.shards.entries()) {
    const kept = [...checkpoints].filter((step) => step <= run.target);
    if (kept.length === checkpoints.size) continue;
    run.state.shards[shard].checkpoints = new Set(kept);
    emit(run, { kind: "keep", shard, steps: kept });
  }
}

export function restoreFailed(run: CoordinatorRun, shard: number, term: number, step: number, reason: string): void {
  if (run.state.phase !== "restoring" || term !== run.state.term) return;
  note(run, "warn", `checkpoint ${step} is not used: ${reason}`);
  run.state.shards[shard].checkpoints.delete(step);
  gather(run);
}
