import type { RunFigures } from "../../../server/index.js";
import type { Status } from "../../../shared/wire/index.js";

/**
 * What /metrics shows of a run, as a table: names and units follow Prometheus' conventions (base units, a counter ends
 * in _total). A metric that is not known yet has no value at all rather than a made-up one.
 */
export interface Definition {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly labels?: readonly string[];
  values(now: MetricsSnapshot): readonly LabelledValue[];
}

export interface LabelledValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The run at one moment. */
export interface MetricsSnapshot {
  readonly status: Status;
  readonly figures: RunFigures;
  readonly microBatchSize: number;
  readonly totals: Totals;
}

/** What this process has committed, recomputed steps included. These numbers never decrease. */
export interface Totals {
  steps: number;
  samples: number;
  evaluations: number;
  checkpoints: number;
  rollbacks: number;
  readonly phaseSeconds: Map<string, number>;
}

const PHASES = ["gathering", "restoring", "boundary", "evaluating", "stepping", "ended"];

type Pick = (now: MetricsSnapshot) => number | undefined;

function single(type: Definition["type"], name: string, help: string, pick: Pick): Definition {
  return {
    type,
    name,
    help,
    values(now) {
      const value = pick(now);
      return typeof value === "number" && Number.isFinite(value) ? [{ labels: {}, value }] : [];
    },
  };
}

const gauge = (name: string, help: string, pick: Pick): Definition => single("gauge", name, help, pick);
const counter = (name: string, help: string, pick: Pick): Definition => single("counter", name, help, pick);

function labelled(
  type: Definition["type"],
  name: string,
  help: string,
  labels: readonly string[],
  values: (now: MetricsSnapshot) => readonly (readonly [value: number, ...labels: string[]])[],
): Definition {
  return {
    type,
    name,
    help,
    labels,
    values: (now) =>
      values(now).map(([value, ...texts]) => ({
        labels: Object.fromEntries(labels.map((label, i) => [label, texts[i]])),
        value,
      })),
  };
}

export const DEFINITIONS: readonly Definition[] = [
  labelled(
    "gauge",
    "isobatch_run_info",
    "The run, its task and the version of Isobatch, as labels; always 1.",
    ["run_id", "task", "version"],
    ({ status }) => [[1, status.runId ?? "", status.task ?? "", status.version ?? ""]],
  ),
  labelled("gauge", "isobatch_run_phase", "1 for the present phase of the run, 0 for the others.", ["phase"], (now) =>
    PHASES.map((phase) => [now.status.phase === phase ? 1 : 0, phase]),
  ),
  gauge("isobatch_term", "Number of times the run has started or gone back to a checkpoint.", ({ status }) =>
    Number(status.term),
  ),
  gauge("isobatch_step", "Optimizer steps behind the current weights.", ({ status }) => Number(status.step)),
  gauge("isobatch_steps_planned", "Optimizer steps of the whole run.", ({ status }) => Number(status.steps)),
  gauge("isobatch_samples", "Training samples behind the current weights.", ({ status }) => Number(status.samples)),
  gauge("isobatch_samples_planned", "Training samples of the whole run.", ({ status }) => Number(status.samplesTotal)),
  counter(
    "isobatch_committed_steps_total",
    "Steps that this process has committed; recomputed steps count again.",
    (now) => now.totals.steps,
  ),
  counter("isobatch_committed_samples_total", "Samples of the committed steps.", (now) => now.totals.samples),
  gauge(
    "isobatch_train_loss",
    "Mean training loss of the last step's samples, before its update.",
    ({ status }) => status.loss,
  ),
  gauge("isobatch_test_loss", "Mean loss of the test samples at the last evaluation.", ({ status }) =>
    status.evaluated ? Number(status.evaluationLoss) : undefined,
  ),
  gauge(
    "isobatch_test_accuracy_ratio",
    "Share of test samples that were classified correctly at the last evaluation, 0 to 1.",
    ({ status }) => (status.evaluated ? Number(status.evaluationAccuracy) : undefined),
  ),
  gauge(
    "isobatch_learning_rate",
    "Learning rate of the last step, after schedule and batch size scaling.",
    ({ status }) => status.learningRate,
  ),
  gauge(
    "isobatch_micro_batches_per_step",
    "Micro-batches per step (kappa).",
    ({ status }) => status.microBatchesPerStep,
  ),
  gauge(
    "isobatch_batch_samples",
    "Samples per step.",
    (now) => (now.status.microBatchesPerStep ?? 0) * (now.status.microBatchSize ?? 0),
  ),
  gauge(
    "isobatch_noise_scale_samples",
    "Gradient noise scale in samples: the batch size beyond which a larger batch stops paying off.",
    ({ status }) => status.noiseScale,
  ),
  labelled("gauge", "isobatch_workers", "Workers connected to the run.", ["backend", "state"], ({ status }) =>
    grouped(status.workers ?? [], (worker) => [worker.numerics?.backend ?? "", worker.state ?? ""]),
  ),
  gauge(
    "isobatch_workers_advised",
    "Largest number of workers that still makes training faster; absent until known.",
    ({ status }) => (status.workersAdvised === 0 ? undefined : status.workersAdvised),
  ),
  labelled(
    "counter",
    "isobatch_worker_micro_batches_total",
    "Micro-batches of committed steps that a connected worker has computed.",
    ["worker"],
    ({ status }) => (status.workers ?? []).map((worker) => [Number(worker.microBatches), worker.id ?? ""]),
  ),
  counter(
    "isobatch_workers_joined_total",
    "Workers that have joined; a worker that reconnects counts again.",
    ({ figures }) => figures.tally.joined,
  ),
  counter(
    "isobatch_workers_lost_total",
    "Workers that have left, for any reason.",
    ({ figures }) => figures.tally.lost,
  ),
  labelled("gauge", "isobatch_shards", "Shards of the model's parameters.", ["state"], ({ status }) =>
    grouped(status.shards ?? [], (shard) => [shard.state ?? ""]),
  ),
  labelled(
    "counter",
    "isobatch_phase_seconds_total",
    "Time spent in committed steps by phase; step, samples, merge and update overlap the others.",
    ["phase"],
    (now) => [...now.totals.phaseSeconds].map(([phase, seconds]) => [seconds, phase]),
  ),
  counter("isobatch_evaluations_total", "Evaluations on the test samples.", (now) => now.totals.evaluations),
  gauge("isobatch_checkpoint_step", "Step of the newest checkpoint.", ({ status }) => {
    const step = Number(status.checkpointStep);
    return step < 0 ? undefined : step;
  }),
  gauge(
    "isobatch_checkpoint_age_seconds",
    "Time since the newest checkpoint was written or loaded.",
    ({ figures }) => figures.checkpointAgeSeconds,
  ),
  counter("isobatch_checkpoints_total", "Checkpoints that this process has written.", (now) => now.totals.checkpoints),
  counter(
    "isobatch_rollbacks_total",
    "Number of times this process has loaded a checkpoint, its start included.",
    (now) => now.totals.rollbacks,
  ),
  counter(
    "isobatch_recomputed_steps_total",
    "Steps that were computed again after a crash or a rollback.",
    ({ figures }) => figures.recomputedSteps,
  ),
  labelled("counter", "isobatch_leases_total", "Leases given to workers.", ["stage"], ({ figures }) =>
    Object.entries(figures.tally.leases).map(([stage, count]) => [count, stage]),
  ),
  labelled(
    "counter",
    "isobatch_leased_again_total",
    "Micro-batches and evaluation batches that were leased again because a lease was lost, late or failed.",
    ["stage"],
    ({ figures }) => Object.entries(figures.tally.leasedAgain).map(([stage, count]) => [count, stage]),
  ),
  labelled(
    "counter",
    "isobatch_lease_failures_total",
    "Leases that workers gave back because they could not compute them.",
    ["kind"],
    ({ figures }) => Object.entries(figures.tally.failures).map(([kind, count]) => [count, kind]),
  ),
  labelled(
    "counter",
    "isobatch_sums_received_bytes_total",
    "Bytes of gradient sums that a shard has received.",
    ["shard"],
    ({ figures }) => ofShards(figures, (traffic) => traffic.bytesReceived),
  ),
  labelled(
    "counter",
    "isobatch_weights_sent_bytes_total",
    "Bytes of weights that a shard has sent.",
    ["shard"],
    ({ figures }) => ofShards(figures, (traffic) => traffic.bytesSent),
  ),
  counter(
    "isobatch_samples_sent_bytes_total",
    "Bytes of samples sent to workers.",
    ({ figures }) => figures.tally.sampleBytes,
  ),
  labelled(
    "counter",
    "isobatch_pushes_rejected_total",
    "Pushes that a shard has refused.",
    ["shard", "reason"],
    ({ figures }) =>
      figures.shardTraffic.flatMap((traffic, shard) =>
        [...(traffic?.rejected ?? [])].map(([reason, pushes]) => [pushes, String(shard), reason] as const),
      ),
  ),
];

function grouped<Item>(items: readonly Item[], labels: (item: Item) => string[]): [number, ...string[]][] {
  const groups = new Map<string, [number, ...string[]]>();
  for (const item of items) {
    const key = JSON.stringify(labels(item));
    const group = groups.get(key) ?? [0, ...labels(item)];
    group[0]++;
    groups.set(key, group);
  }
  return [...groups.values()];
}

function ofShards(
  { shardTraffic }: RunFigures,
  pick: (traffic: NonNullable<RunFigures["shardTraffic"][number]>) => number,
): [number, string][] {
  return shardTraffic.flatMap((traffic, shard) => (traffic === undefined ? [] : [[pick(traffic), String(shard)]]));
}
