/** The results of work that was started. All of it is answered, unless it was abandoned. */
import type { FailureReport, WorkerEvent } from "./messages.js";
import { fieldsOf, leaseFailed, push } from "./pushes.js";
import { begin } from "./queue.js";
import { emit, leaveIfDone, note, report, type Worker } from "./state.js";
import { threadsRestarted } from "./weights.js";

type Computing = NonNullable<Worker["state"]["computing"]>;

/** Notes that the work has ended; undefined if it was not being computed. */
function take(worker: Worker, id: number): Computing | undefined {
  const { computing } = worker.state;
  if (computing?.work.id !== id) return undefined;
  worker.state.computing = undefined;
  return computing;
}

function goOn(worker: Worker): void {
  begin(worker);
  leaveIfDone(worker);
}

export function computed(worker: Worker, event: Extract<WorkerEvent, { kind: "computed" }>): void {
  const { slots, computeMs, samplesMs } = event;
  const done = take(worker, event.work);
  if (done === undefined) return;
  const { work } = done;
  if (done.abandoned || work.kind !== "step") emit(worker, { kind: "releaseSlots", work: work.id, slots });
  else {
    const { lease, lo, hi, firstMicroBatch, microBatches } = work.lease;
    report(worker, { kind: "leaseComputed", lease, computeMs, samplesMs });
    note(worker, "debug", "lease computed", { ...fieldsOf(work), lo, hi, computeMs, samplesMs });
    push(worker, work, slots);
    // Leases tend to be cut alike, so the same share of the coming steps is worth fetching.
    const first = firstMicroBatch + microBatches + lo;
    const end = worker.attachment!.microBatchesTotal;
    emit(worker, { kind: "prefetchSteps", first, count: hi - lo, every: microBatches, end });
  }
  goOn(worker);
}

export function evaluated(worker: Worker, event: Extract<WorkerEvent, { kind: "evaluated" }>): void {
  const done = take(worker, event.work);
  if (done === undefined) return;
  const { work } = done;
  if (!done.abandoned && work.kind === "evaluation") {
    const { term, version, firstBatch, endBatch } = work.lease;
    const { lossSums, correct } = event;
    note(worker, "debug", "batches evaluated", { step: version, firstBatch, endBatch });
    report(worker, { kind: "evaluated", term, version, firstBatch, lossSums, correct });
  }
  goOn(worker);
}

export function workFailed(worker: Worker, event: Extract<WorkerEvent, { kind: "workFailed" }>): void {
  const done = take(worker, event.work);
  if (done === undefined) return;
  const { failure, threadsDied = false } = event;
  // That nothing is held is reported before it is held again, which may be at once, and before the lease is returned.
  if (threadsDied) {
    note(worker, "warn", `${failure.reason} All threads were started again.`);
    threadsRestarted(worker);
  }
  if (!done.abandoned) sayThatFailed(worker, done, failure, event);
  goOn(worker);
}

function sayThatFailed(
  worker: Worker,
  { work }: Computing,
  failure: FailureReport,
  { nonFinite, cause }: { readonly nonFinite?: number; readonly cause?: unknown },
): void {
  if (work.kind === "step") return leaseFailed(worker, work, failure, { nonFinite, cause });
  const { term, version, firstBatch } = work.lease;
  note(worker, "warn", `the evaluation of version ${version} failed: ${failure.reason}`, { step: version }, cause);
  report(worker, { kind: "evaluationFailed", term, version, firstBatch, ...failure });
}
