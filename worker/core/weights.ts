/**
 * The pull: chunks are copied into θ, and when θ is of one version the compute threads copy it. From then on they hold
 * that version, regardless of later changes of θ, into which the first part of the next version may already be copied.
 *
 * θ must not change only while the threads copy it. A chunk that arrives then waits, and so does its stream: nothing is
 * stored and the shard is not read from; once it is, it sends only the newest version of a chunk. A shard that writes
 * into θ itself can't be held back: then the copy counts only if nothing has moved meanwhile.
 */
import { backoffMs } from "./backoff.js";
import type { WeightsVersion, WorkerEvent } from "./messages.js";
import { cancelOlderPushes, returnLoans } from "./pushes.js";
import { begin, isVoid } from "./queue.js";
import { abandon, emit, isAttached, note, report, type Worker } from "./state.js";
import { isSameVersion } from "./versions.js";

export function termOpened(worker: Worker, { term, version }: WeightsVersion): void {
  note(worker, "info", "a term starts", { term, step: version });
  openTerm(worker, term);
}

/** There is a newer term, however this became known: all chunks and all work of older terms are void. */
function openTerm(worker: Worker, term: number): void {
  worker.versions?.openTerm(term);
  if (term <= worker.state.newest.term) return;
  advance(worker, { term, version: -1 });
  worker.state.queue = worker.state.queue.filter(({ lease }) => lease.term >= term);
  cancelOlderPushes(worker, term);
}

/** There are newer weights than before: work with older weights is void. */
function advance(worker: Worker, weights: WeightsVersion): void {
  worker.state.newest = weights;
  const { computing } = worker.state;
  if (computing !== undefined && isVoid(computing.work, weights)) abandon(worker);
}

export function chunk(worker: Worker, event: Extract<WorkerEvent, { kind: "chunk" }>): void {
  if (!isAttached(worker)) return;
  if (worker.state.loading !== undefined) worker.heldBack.set(event.shard, event);
  else judgeChunk(worker, event.shard, event);
}

function judgeChunk(worker: Worker, shard: number, come: { readonly chunk: number } & WeightsVersion): void {
  openTerm(worker, come.term);
  if (!worker.versions!.accept(come.chunk, come)) return emit(worker, { kind: "skipChunk", shard });
  worker.sequences.delete(shard);
  emit(worker, { kind: "takeChunk", shard });
  returnLoans(worker);
  loadIfComplete(worker);
}

export function shardWeights(worker: Worker, event: Extract<WorkerEvent, { kind: "shardWeights" }>): void {
  if (!isAttached(worker)) return;
  openTerm(worker, event.term);
  if (!worker.versions!.acceptShard(event.shard, event)) return;
  worker.sequences.set(event.shard, event.sequence);
  returnLoans(worker);
  loadIfComplete(worker);
}

function loadIfComplete(worker: Worker): void {
  const { state, versions } = worker;
  const complete = versions?.complete;
  if (complete === undefined || state.loading !== undefined || isSameVersion(complete, state.held)) return;
  advance(worker, complete);
  state.held = undefined;
  state.loading = complete;
  emit(worker, { kind: "load", weights: complete, sequences: new Map(worker.sequences) });
  begin(worker);
}

export function loaded(worker: Worker, moved: readonly number[]): void {
  const { state } = worker;
  const weights = state.loading;
  state.loading = undefined;
  if (weights === undefined || !isAttached(worker)) return;
  if (moved.length === 0) {
    worker.loads += 1;
    state.held = weights;
    report(worker, { kind: "weightsHeld", term: weights.term, version: weights.version });
    note(worker, "debug", "weights held", { term: weights.term, step: weights.version });
    begin(worker);
  } else {
    // Work that was started with them has no version either.
    abandon(worker);
    for (const shard of moved) worker.versions!.forget(shard, weights);
  }
  readOn(worker);
  loadIfComplete(worker);
}

/** Takes chunks that arrived while θ must not change, until it must not change again. */
function readOn(worker: Worker): void {
  for (const [shard, come] of worker.heldBack) {
    if (worker.state.loading !== undefined) return;
    worker.heldBack.delete(shard);
    judgeChunk(worker, shard, come);
  }
}

/** θ may no longer be what was to be loaded: a shard that writes into it itself may have continued. */
export function loadFailed(worker: Worker, reason: string): void {
  if (worker.state.loading === undefined) return;
  worker.state.loading = undefined;
  if (!isAttached(worker)) return;
  note(worker, "warn", `${reason} All threads were started again.`);
  loadIfComplete(worker);
  readOn(worker);
}

/** Reports that the threads are new and hold nothing: they copy θ if it is still complete, else the next version. */
export function threadsRestarted(worker: Worker): void {
  worker.state.held = undefined;
  report(worker, { kind: "weightsLost" });
  if (isAttached(worker)) loadIfComplete(worker);
}

/** A stream that ended is opened again: a new one starts with every chunk. */
export function weightsStreamEnded(worker: Worker, event: Extract<WorkerEvent, { kind: "weightsStreamEnded" }>): void {
  if (!isAttached(worker)) return;
  // A chunk that was waiting can no longer be taken.
  worker.heldBack.delete(event.shard);
  if (event.gone) {
    worker.versions!.forgetAll(event.shard);
    worker.sequences.delete(event.shard);
  }
  const watch = worker.watches[event.shard];
  const level = event.broken && watch.failures === 0 ? "warn" : "debug";
  note(worker, level, `${event.reason} The stream is opened again.`);
  watch.failures = worker.loads === watch.loadsBefore ? watch.failures + 1 : 0;
  watchShard(worker, event.shard, backoffMs(watch.failures));
}

export function watchShard(worker: Worker, shard: number, afterMs: number): void {
  worker.watches[shard].loadsBefore = worker.loads;
  emit(worker, { kind: "watch", shard, term: worker.versions!.term, afterMs });
}
