/**
 * From the first attempt to reach the server to the worker's end. When a stream is lost, all work that was received
 * over it is void; the worker joins again, as a new worker to the server, as long as it may wait.
 */
import type { IsobatchError } from "../../shared/errors.js";
import { backoffMs } from "./backoff.js";
import type { Attachment, WorkerEvent } from "./messages.js";
import { cancelAllPushes } from "./pushes.js";
import { abandon, closeStream, emit, end, leaveIfDone, NOTHING, note, report, type Worker } from "./state.js";
import { createWeightVersions } from "./versions.js";
import { watchShard } from "./weights.js";

/** A server that waits for its shards may send nothing for a while. */
const STEADY_MS = 10_000;

export function start(worker: Worker): void {
  reachFor(worker, worker.nowMs + worker.options.connectWaitMs, 0);
}

/** Tries to attach, repeatedly until `untilMs`. */
function reachFor(worker: Worker, untilMs: number, afterMs: number): void {
  worker.state.phase = "away";
  worker.attachUntilMs = untilMs;
  worker.attachFailures = 0;
  worker.answer = undefined;
  emit(worker, { kind: "attach", afterMs, untilMs });
}

export function attachFailed(worker: Worker, event: Extract<WorkerEvent, { kind: "attachFailed" }>): void {
  if (worker.state.phase !== "away") return;
  if (worker.leaving !== undefined) return endAsLeft(worker);
  const { error, retriable, answered } = event;
  if (!retriable) return end(worker, { error });
  if (answered) worker.answer = { error };
  // The server's answer says more than that there was no time left for another attempt.
  if (worker.nowMs >= worker.attachUntilMs) return end(worker, worker.answer ?? { error });
  const afterMs = backoffMs(worker.attachFailures++);
  emit(worker, { kind: "attach", afterMs, untilMs: worker.attachUntilMs });
}

export function attached(worker: Worker, attachment: Attachment): void {
  const { state } = worker;
  if (state.phase !== "away") return;
  state.phase = "attached";
  state.newest = NOTHING;
  state.held = undefined;
  if (attachment.newMemory) state.loans.clear();
  worker.attachment = attachment;
  worker.versions = createWeightVersions(attachment);
  worker.attachedAtMs = worker.nowMs;
  worker.spoken = false;
  worker.heldBack.clear();
  worker.sequences.clear();
  worker.watches = attachment.shards.map(() => ({ failures: 0, loadsBefore: worker.loads }));
  for (const shard of attachment.shards.keys()) watchShard(worker, shard, 0);
  if (worker.leaving !== undefined) takeLeave(worker);
}

export function streamLost(worker: Worker, error: IsobatchError): void {
  const { state, nowMs } = worker;
  if (state.phase === "leaving") return endAsLeft(worker);
  if (state.phase !== "attached") return;
  // A stream over which the server has sent something, or which was open for long, was a good one.
  if (worker.spoken || nowMs - worker.attachedAtMs > STEADY_MS) {
    worker.losses = 0;
    worker.lostAtMs = undefined;
  }
  worker.lostAtMs ??= nowMs;
  const leftMs = worker.lostAtMs + worker.options.reconnectWaitMs - nowMs;
  if (leftMs <= 0) return end(worker, { error });
  worker.reconnectMs = leftMs;
  note(worker, "warn", `${error.message} Joining again, for at most ${Math.ceil(leftMs / 1000)} s.`);
  state.phase = "detaching";
  state.queue = [];
  abandon(worker);
  cancelAllPushes(worker);
  worker.heldBack.clear();
  emit(worker, { kind: "detach" });
}

export function detached(worker: Worker): void {
  if (worker.state.phase !== "detaching") return;
  if (worker.leaving !== undefined) return endAsLeft(worker);
  // All the time that was left when the stream was lost is for the server: neither the pause nor the detaching counts.
  const afterMs = backoffMs(worker.losses++);
  reachFor(worker, worker.nowMs + afterMs + worker.reconnectMs, afterMs);
}

/** The worker has to leave, at its own request or the server's: it finishes what it computes. */
export function leave(worker: Worker, reason: string, sentAway: boolean): void {
  const { phase } = worker.state;
  if (worker.leaving !== undefined || phase === "closing") return;
  worker.leaving = { reason, sentAway };
  if (phase === "attached") takeLeave(worker);
  else emit(worker, { kind: "cancelAttach" });
}

function takeLeave(worker: Worker): void {
  const { reason } = worker.leaving!;
  note(worker, "info", `leaving the run: ${reason}`);
  report(worker, { kind: "leaving", reason });
  worker.state.phase = "leaving";
  worker.state.queue = [];
  leaveIfDone(worker);
}

function endAsLeft(worker: Worker): void {
  end(worker, { reason: "left", ok: true, message: worker.leaving!.reason });
}

export function drain(worker: Worker, reason: string): void {
  leave(worker, reason === "" ? "the server asked for it" : reason, reason !== "");
}

export function failed(worker: Worker, { error, reported }: Extract<WorkerEvent, { kind: "failed" }>): void {
  const { phase } = worker.state;
  if (phase === "closing" || phase === "detaching") return;
  if (reported === undefined || phase === "away") return end(worker, { error });
  report(worker, { kind: "failed", ...reported });
  closeStream(worker, { error });
}

export function runEnded(worker: Worker, ok: boolean, message: string): void {
  const { phase } = worker.state;
  if (phase === "attached" || phase === "leaving") closeStream(worker, { reason: "run ended", ok, message });
}

export function endedMeanwhile(worker: Worker, ok: boolean, message: string): void {
  if (worker.state.phase !== "away") return;
  if (worker.leaving !== undefined) endAsLeft(worker);
  else end(worker, { reason: "run ended", ok, message });
}
