import type { ChunkRange } from "../../shared/layout/index.js";
import { kappaRuleText } from "../../shared/steps/index.js";
import type { Status } from "../../shared/wire/index.js";
import { microBatchesOf, type Task } from "../../tasks/index.js";
import type { RunFacts } from "../record/index.js";
import type { Coordinator } from "./coordinator.js";
import { newestFailure } from "./core/index.js";

/** The run's status, as `isobatch status` and the dashboard show it. */
export function statusOf(
  coordinator: Coordinator,
  task: Task,
  facts: RunFacts,
  slices: readonly ChunkRange[],
  runId: string,
  version: string,
): Status {
  const { state, progress, members, shards } = coordinator;
  const b = task.microBatchSize;
  const samples = state.mark.microBatches * b;
  const { lastStep, lastEvaluation, samplesPerSecond } = progress;
  const nowMs = performance.now();
  const { workers: workersAdvised, text: advice } = coordinator.advice();
  return {
    runId,
    task: task.name,
    phase: isOver(coordinator) ? "ended" : state.phase,
    term: state.term,
    step: state.mark.step,
    // With an elastic κ, an estimate that assumes the present κ.
    steps: state.mark.step + Math.ceil((microBatchesOf(task) - state.mark.microBatches) / state.microBatches),
    samples,
    samplesTotal: task.samples,
    loss: lastStep?.loss ?? Number.NaN,
    samplesPerSecond,
    microBatchesPerStep: state.microBatches,
    kappaRule: kappaRuleText(task.microBatchesPerStep),
    failure: progress.failure,
    workerFailure: workerFailure(coordinator),
    checkpointStep: progress.checkpointStep,
    evaluated: lastEvaluation !== undefined,
    evaluationStep: lastEvaluation?.step ?? -1,
    evaluationLoss: lastEvaluation?.loss ?? Number.NaN,
    evaluationAccuracy: lastEvaluation?.accuracy ?? Number.NaN,
    secondsLeft: samplesPerSecond > 0 ? (task.samples - samples) / samplesPerSecond : Number.NaN,
    version,
    ...facts,
    microBatchSize: b,
    noiseScale: lastStep?.noiseScale?.scale ?? Number.NaN,
    workersAdvised,
    advice,
    learningRate: lastStep?.learningRate ?? Number.NaN,
    gamma1: lastStep?.gamma1 ?? Number.NaN,
    gamma2: lastStep?.gamma2 ?? Number.NaN,
    workers: members.attached().map((member) => {
      const worker = state.workers.get(member.id);
      const itemMs = worker?.itemMs.step;
      return {
        id: member.id,
        host: member.host,
        processId: member.processId,
        numerics: member.numerics,
        computeThreads: member.computeThreads,
        device: member.device,
        transport: member.transport,
        state: workerState(worker),
        microBatchesPerSecond: itemMs === undefined ? 0 : 1000 / itemMs,
        microBatches: member.microBatches,
        lastSeenSeconds: worker === undefined ? 0 : (nowMs - worker.lastSeenMs) / 1000,
      };
    }),
    shards: slices.map((slice, index) => ({
      index,
      address: shards[index]?.address ?? "",
      state: shards[index] === undefined ? "missing" : "attached",
      version: state.mark.step,
      ...slice,
    })),
  };
}

/** Whether the run has ended, successfully or not. */
export function isOver({ state, progress }: Pick<Coordinator, "state" | "progress">): boolean {
  return state.phase === "ended" || progress.failure !== "";
}

function workerFailure({ state, progress }: Coordinator): string {
  const newest = progress.failure === "" ? newestFailure(state.failures) : undefined;
  if (newest === undefined) return "";
  return newest.times === 1 ? newest.reason : `${newest.reason} (${newest.times} times)`;
}

function workerState(
  worker: Coordinator["state"]["workers"] extends Map<string, infer W> ? W | undefined : never,
): string {
  if (worker === undefined) return "joining";
  if (worker.silent) return "silent";
  if (worker.draining) return "draining";
  if (!worker.ready) return "loading weights";
  return worker.running.size > 0 ? "computing" : "idle";
}
