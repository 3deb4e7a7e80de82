import { stripVTControlCharacters } from "node:util";
import { checkMember, type MutableGate, memberSeal } from "../../shared/credentials/index.js";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import { type ChunkRange, layoutToJson } from "../../shared/layout/index.js";
import type { Logger } from "../../shared/log.js";
import {
  type ControlRequest__Output,
  type ControlResponse,
  type CoordinatorHandlers,
  callerOf,
  checksumFor,
  createHandlers,
  createWriter,
  isEncrypted,
  type JoinRequest__Output,
  type JoinResponse,
  type Numerics__Output,
  readMessages,
  type WorkerReport__Output,
} from "../../shared/wire/index.js";
import type { PreparedTask, SampleSpec } from "../../tasks/index.js";
import type { MetricsLine, RunDirectory, RunRecord } from "../observe/index.js";
import type { Samples } from "../samples/index.js";
import { failureOf, reportOf, trafficOf } from "../shard/index.js";
import { control } from "./control.js";
import type { Coordinator } from "./coordinator.js";
import type { Member } from "./members.js";
import { passesMessage, remoteLink, reportEvent } from "./shard-links.js";
import { isOver, statusOf } from "./status.js";

/** The coordinator's side of gRPC: each handler turns a call into events, and what it answers comes from the state. */

export interface ServiceOptions {
  readonly coordinator: Coordinator;
  readonly prepared: PreparedTask;
  readonly directory: RunDirectory;
  readonly samples: Samples;
  readonly metrics: RunRecord<MetricsLine>;
  readonly slices: readonly ChunkRange[];
  readonly leaseKey: Uint8Array;
  /** Shards are told what it admits. */
  readonly gate: MutableGate;
  /** Answers what is asked about tokens; undefined if the request is about something else. */
  controlTokens(request: ControlRequest__Output): ControlResponse | undefined;
  readonly version: string;
  /** Whether the server stays when the run has ended: whoever wants to join then may try again later. */
  readonly stay: boolean;
  /** Whether workers wait for a server that comes back, so that none is told that the run has ended. */
  workersWait(): boolean;
  readonly log: Logger;
}

/** Sent by workers; three missed ones are silence. */
const HEARTBEAT_MS = 1_000;
/** Work and Serve are quiet for longer only when the other side is gone. */
const SILENCE_MS = 60_000;
const SAMPLE_BATCHES_MAX = 4_096;
const REASON_LENGTH_MAX = 1_000;

export function createCoordinatorHandlers(options: ServiceOptions): CoordinatorHandlers {
  const { coordinator, prepared, directory, samples, metrics, slices, leaseKey, gate, version, stay, log } = options;
  const { task, data, built } = prepared;
  const { unary, serverStream, bidi } = createHandlers((error, method) => {
    log.error({ err: error, method }, "a handler failed");
  });
  const form: SampleSpec = { input: data.train.input, label: data.train.label };
  const shared = {
    runId: directory.identity.runId,
    taskJson: JSON.stringify(task),
    topologyJson: built.topology,
    layoutJson: layoutToJson(built.layout),
    datasetFingerprint: data.fingerprint,
    sampleFormJson: JSON.stringify(form),
    heartbeatMs: HEARTBEAT_MS,
    evaluationBatches: samples.evaluationBatches,
  } satisfies JoinResponse;

  function checkVersion(theirs: string, who: string): void {
    if (theirs === version) return;
    throw new IsobatchError(
      "refused",
      `${who} is Isobatch ${theirs || "of no version"}, the server is ${version}; install the same on both.`,
    );
  }

  /** The run's numerics class is its first worker's. */
  function checkNumerics(request: JoinRequest__Output): void {
    const theirs = request.numerics;
    if (theirs == null || theirs.backend === "") {
      throw new IsobatchError("invalid_input", "A worker must say which numerics class it computes in.");
    }
    const ours = directory.identity.numerics;
    if (ours === null) return directory.saveNumerics(numericsOf(theirs));
    if (task.mixed || describe(ours) === describe(theirs)) return;
    throw new IsobatchError(
      "refused",
      `The worker computes in another numerics class (${describe(theirs)}) than this run (${describe(ours)}), so its ` +
        'bits would differ; use the run\'s backend, or set "mixed": true in the task and give up bit-exactness.',
    );
  }

  async function serveWorker(member: Member, reports: AsyncIterable<WorkerReport__Output>): Promise<string> {
    for await (const report of reports) {
      const event = workerEvent(member.id, report);
      if (report.leaseComputed != null) {
        const { samplesMs, pushMs } = report.leaseComputed;
        coordinator.leaseTimes({ samples: samplesMs, push: pushMs });
      }
      if (event !== undefined) coordinator.dispatch(event);
    }
    return isOver(coordinator) ? "the run has ended" : "it has left";
  }

  return {
    Join: unary((call) => {
      const { request } = call;
      checkVersion(request.version, "The worker");
      if (isOver(coordinator)) {
        const { failure } = coordinator.progress;
        // The others were told so when it ended; this one was not connected then.
        if (request.runId === shared.runId && !options.workersWait()) {
          return { ended: { ok: failure === "", reason: failure === "" ? "the run has ended" : failure } };
        }
        const code = stay || options.workersWait() ? "unavailable" : "refused";
        if (failure === "") throw new IsobatchError(code, "The run has ended.");
        throw new IsobatchError(code, `The run has failed: ${failure}`);
      }
      const links = coordinator.shards;
      const missing = links.indexOf(undefined);
      if (missing >= 0) throw new IsobatchError("unavailable", `The run waits for its shard ${missing}; try again.`);
      checkNumerics(request);
      const token = callerOf(call)?.name ?? "";
      const workerId = coordinator.members.join(request, token);
      const { device, computeThreads: threads } = request;
      log.info({ worker: workerId, device, threads, admittedBy: token }, "a worker joins");
      const shards = slices.map(({ firstChunk, endChunk }, index) => ({
        index,
        address: links[index]!.address,
        firstChunk,
        endChunk,
      }));
      const seal = memberSeal(leaseKey, { runId: shared.runId, workerId, token });
      return { ...shared, workerId, shards, seal };
    }),

    Work: bidi(async (call) => {
      const writer = createWriter(call, { stallMs: SILENCE_MS, what: "The worker's stream" });
      const reports = readMessages(call, { stallMs: SILENCE_MS, what: "The worker" });
      const first = await reports.next();
      const id = first.value?.attach?.workerId;
      if (id === undefined) throw new IsobatchError("invalid_input", "The first report on Work must be attach.");
      const member = coordinator.members.attach(id, writer, callerOf(call)?.name ?? "");
      coordinator.dispatch({ kind: "workerAttached", worker: id, machine: member.host });
      let reason = "its stream broke";
      try {
        reason = await serveWorker(member, reports);
      } catch (error) {
        reason = messageOf(error);
      } finally {
        coordinator.members.leave(id);
        coordinator.dispatch({ kind: "workerLost", worker: id, reason });
        log.info({ worker: id, reason }, "a worker has left");
      }
    }),

    Serve: bidi(async (call) => {
      const writer = createWriter(call, { stallMs: SILENCE_MS, what: "The shard's stream" });
      const reports = readMessages(call, { what: "The shard" });
      const hello = (await reports.next()).value?.hello;
      if (hello == null) throw new IsobatchError("invalid_input", "The first report on Serve must be hello.");
      const { index } = hello;
      checkVersion(hello.version, `Shard ${index}`);
      const slice = slices[index];
      if (slice === undefined || index === 0) {
        throw new IsobatchError("refused", `There is no place for a shard ${index}; this run has ${slices.length}.`);
      }
      const { runId, taskHash } = directory.identity;
      const { layoutJson } = shared;
      await writer.write({
        welcome: {
          ...{ runId, taskHash, leaseKey: Buffer.from(leaseKey), layoutJson, ...slice },
          passes: passesMessage(gate.passes),
        },
      });
      const unlisten = gate.onReplaced((passes) => {
        writer.write({ passes: passesMessage(passes) }).catch(() => {});
      });
      writer.ended.addEventListener("abort", unlisten, { once: true });
      const ready = (await reports.next()).value?.ready;
      if (ready == null) throw new IsobatchError("invalid_input", "The second report on Serve must be ready.");
      const link = remoteLink(ready.address, writer, log);
      coordinator.attachShard(index, link, ready.checkpoints);
      let reason = "it has left";
      try {
        for await (const report of reports) {
          if (report.failed != null) coordinator.fail(failureOf(report.failed));
          else if (report.traffic != null) coordinator.shardTraffic[index] = trafficOf(report.traffic);
          else coordinator.dispatch(reportEvent(index, reportOf(report)));
        }
      } catch (error) {
        reason = messageOf(error);
      } finally {
        coordinator.detachShard(index, link, reason);
      }
    }),

    FetchSamples: serverStream(async (call) => {
      const { workerId, evaluation, first, count, seal } = call.request;
      checkMember(leaseKey, { runId: shared.runId, workerId, token: callerOf(call)?.name ?? "" }, seal);
      if (count > SAMPLE_BATCHES_MAX) {
        throw new IsobatchError(
          "invalid_input",
          `count is ${count}; at most ${SAMPLE_BATCHES_MAX} batches can be fetched at once.`,
        );
      }
      const batches = evaluation ? samples.evaluationBatches : samples.microBatches;
      if (first + count > batches) {
        const kind = evaluation ? "evaluation batch" : "micro-batch";
        throw new IsobatchError(
          "refused",
          `There is no ${kind} ${Math.max(first, batches)}; the run has ${batches}, counted from 0.`,
        );
      }
      const encrypted = isEncrypted(call);
      const writer = createWriter(call, { stallMs: SILENCE_MS, what: "The samples' stream" });
      for (let number = first; number < first + count; number++) {
        const batch = evaluation ? samples.evaluationBatch(number) : samples.microBatch(number);
        const checksum = checksumFor({ encrypted }, [batch.inputs, batch.labels]);
        await writer.write({ ...batch, checksum });
        coordinator.tally.samplesSent(batch.inputs.length + batch.labels.length);
      }
    }),

    GetStatus: unary(() => statusOf(coordinator, task, slices, directory.identity.runId, version)),

    WatchMetrics: serverStream(async (call) => {
      const writer = createWriter(call, { stallMs: SILENCE_MS, what: "The metrics' stream" });
      const unsubscribe = metrics.subscribe(call.request.fromLine, (json, line) => writer.write({ line, json }));
      await new Promise<void>((resolve) => {
        writer.ended.addEventListener("abort", () => resolve(), { once: true });
      });
      unsubscribe();
    }),

    Control: unary(({ request }) => {
      const aboutTokens = options.controlTokens(request);
      if (aboutTokens === undefined) return { message: control(coordinator, request) };
      log.info({ request: request.request }, aboutTokens.message ?? "tokens were listed");
      return aboutTokens;
    }),
  };
}

function workerEvent(worker: string, report: WorkerReport__Output) {
  const { heartbeat, weightsHeld, weightsLost, leaseComputed, leaseFailed, evaluated, leaving, failed } = report;
  if (heartbeat != null) return { kind: "heartbeat" as const, worker };
  if (weightsHeld != null) return { kind: "weightsHeld" as const, worker, ...weightsHeld };
  if (weightsLost != null) return { kind: "weightsLost" as const, worker };
  if (leaseComputed != null) {
    const { lease, computeMs } = leaseComputed;
    return { kind: "leaseComputed" as const, worker, lease, computeMs };
  }
  if (leaseFailed != null) {
    const { lease, nonFinite, transient } = leaseFailed;
    const microBatch = nonFinite ? leaseFailed.microBatch : undefined;
    const reason = wordsOf(leaseFailed.reason);
    return { kind: "leaseFailed" as const, worker, lease, nonFinite, reason, microBatch, transient };
  }
  if (evaluated != null) {
    const { epoch, version, firstBatch, lossSums, correct, failed: reason, transient } = evaluated;
    if (reason !== "") {
      return { kind: "evaluationFailed" as const, worker, version, reason: wordsOf(reason), transient };
    }
    return { kind: "evaluated" as const, worker, epoch, version, firstBatch, lossSums, correct };
  }
  if (leaving != null) return { kind: "workerLeaving" as const, worker };
  if (failed != null) {
    const { reason, transient } = failed;
    return { kind: "workerFailed" as const, worker, reason: wordsOf(reason), transient };
  }
  return undefined;
}

/** What a worker says to people, on one line, and without what would move a terminal's cursor. */
function wordsOf(reason: string): string {
  const words = stripVTControlCharacters(reason)
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
  return words === "" ? "it gives no reason" : words.slice(0, REASON_LENGTH_MAX);
}

function numericsOf({ backend, version, architecture, flags }: Numerics__Output) {
  return { backend, version, architecture, flags };
}

function describe(numerics: { backend: string; version: string; architecture: string; flags: string }): string {
  const { backend, version, architecture, flags } = numerics;
  return [backend, version, architecture, flags].filter((part) => part !== "").join(" ");
}
