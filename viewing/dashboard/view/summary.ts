import { count, duration, measure, percent, plural } from "../../../shared/format.js";
import { type History, recentLoss } from "../../charts/index.js";
import type { LiveStatus, LiveWorker } from "./live.js";

/** The page's words. Pure. */

/** "lost": the server can't be reached at the moment. */
export type ConnectionState = "connecting" | "live" | "lost";

export interface StateView {
  readonly text: string;
  readonly tone: "good" | "busy" | "wait" | "over";
}

export function stateOf(status: LiveStatus | undefined, connection: ConnectionState): StateView {
  if (status !== undefined && status.failure !== "") return { text: "The run has failed", tone: "wait" };
  if (status?.phase === "ended") return { text: "The run has ended", tone: "over" };
  if (connection === "lost") return { text: "Connection lost, reconnecting", tone: "wait" };
  if (status === undefined) return { text: "Connecting", tone: "wait" };
  const { phase, workers } = status;
  if (phase === "gathering") return { text: "Waiting for a shard", tone: "wait" };
  if (phase === "restoring") return { text: "Loading a checkpoint", tone: "busy" };
  if (workers.length === 0) return { text: "Waiting for workers", tone: "wait" };
  if (phase === "evaluating") return { text: "Evaluating", tone: "busy" };
  return { text: "Training", tone: "good" };
}

export interface ProgressView {
  /** In [0, 1]. */
  readonly share: number;
  readonly text: string;
}

export function progressOf(status: LiveStatus): ProgressView {
  const { samples, samplesTotal, trainingSamples, samplesPerSecond, secondsLeft } = status;
  const share = samplesTotal === 0 ? 0 : Math.min(1, samples / samplesTotal);
  const left =
    secondsLeft !== null && secondsLeft > 0 && samplesPerSecond > 0 ? ` · ${duration(secondsLeft)} left` : "";
  const epochs =
    trainingSamples > 0
      ? ` · ${(samples / trainingSamples).toFixed(2)} of ${decimals(samplesTotal / trainingSamples)} epochs`
      : "";
  return { share, text: `${percent(share, 0)} · ${count(samples)} of ${count(samplesTotal)} samples${epochs}${left}` };
}

function decimals(value: number): string {
  return Number.isInteger(value) ? count(value) : value.toFixed(2);
}

export interface Fact {
  readonly name: string;
  readonly value: string;
  /** Smaller, after the value. */
  readonly more?: string;
}

/** The names never change, so that the page does not jump. */
export function factsOf(status: LiveStatus | undefined, history: Pick<History, "points" | "evaluations">): Fact[] {
  const shown = (value: number | null | undefined): string => (value == null ? "–" : measure(value));
  const accuracy = status?.testAccuracy ?? null;
  const advised = status?.workersAdvised ?? null;
  const age = status?.checkpointAgeSeconds ?? null;
  const best = Math.max(...history.evaluations.map(([, , , share]) => share ?? 0), 0);
  return [
    { name: "Train loss", value: shown(recentLoss(history)) },
    { name: "Test loss", value: shown(status?.testLoss) },
    {
      name: "Test accuracy",
      value: accuracy === null ? "–" : percent(accuracy),
      more: accuracy !== null && best > accuracy ? `best ${percent(best)}` : "",
    },
    { name: "Samples/s", value: shown(status?.samplesPerSecond) },
    { name: "Step", value: count(status?.step ?? 0), more: status === undefined ? "" : `of ${count(status.steps)}` },
    { name: "Micro-batches per step", value: count(status?.microBatchesPerStep ?? 0) },
    {
      name: "Workers",
      value: count(status?.workers.length ?? 0),
      more: advised === null ? "" : `${count(advised)} advised`,
    },
    { name: "Learning rate", value: shown(status?.learningRate) },
    { name: "Noise scale", value: shown(status?.noiseScale), more: status?.noiseScale == null ? "" : "samples" },
    { name: "Checkpoint age", value: age === null ? "–" : duration(age) },
  ];
}

/** "2 computing, 1 idle · wasm"; empty without workers. */
export function workersSummary(workers: readonly LiveWorker[]): string {
  const counted = (values: readonly string[]): [string, number][] => {
    const counts = new Map<string, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => a.localeCompare(b));
  };
  if (workers.length === 0) return "";
  const states = counted(workers.map(({ state }) => state)).map(([state, number]) => `${count(number)} ${state}`);
  const backends = counted(workers.map(({ backend }) => backend)).map(([backend]) => backend);
  const speed = workers.reduce((sum, { microBatchesPerSecond }) => sum + microBatchesPerSecond, 0);
  return [states.join(", "), backends.join(", "), `${measure(speed)} micro-batches/s together`].join(" · ");
}

/** Why the run has failed or its workers fail; otherwise whether more workers help, and what had to be repeated. */
export function adviceOf(status: LiveStatus): string {
  const { advice, failure, workerFailure, recomputedSteps, leasedAgain, rejectedPushes } = status;
  if (failure !== "") return failure;
  return [
    ...(workerFailure === "" ? [] : [`Workers fail: ${workerFailure}`]),
    ...(advice === "" ? [] : [sentence(advice)]),
    ...(recomputedSteps === 0 ? [] : [`${plural(recomputedSteps, "step")} computed again`]),
    ...(leasedAgain === 0 ? [] : [`${count(leasedAgain)} micro-batches given to another worker`]),
    ...(rejectedPushes === 0 ? [] : [`${count(rejectedPushes)} pushes refused`]),
  ].join(" · ");
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

export function workerCells(worker: LiveWorker): string[] {
  const { id, backend, device, computeThreads, state, microBatchesPerSecond, microBatches, lastSeenSeconds } = worker;
  return [
    id,
    backend,
    device,
    count(computeThreads),
    state,
    measure(microBatchesPerSecond),
    count(microBatches),
    ago(lastSeenSeconds),
  ];
}

/** How long ago; "now" up to a second, so that it does not flicker while all is well. */
export function ago(seconds: number): string {
  return seconds < 1.5 ? "now" : `${duration(Math.round(seconds))} ago`;
}

/** 1.5 GB */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return "–";
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? count(value) : measure(value)} ${units[power]}`;
}
