import type { RunFigures } from "../../../server/index.js";
import type { Status } from "../../../shared/wire/index.js";

/**
 * What /metrics tells of a run, as a table: names and units as Prometheus' conventions want them (base units, a
 * counter ends in _total). Whatever is not known yet has no value at all rather than a made-up one.
 */
export interface Definition {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly labels?: readonly string[];
  values(now: Snapshot): readonly LabelledValue[];
}

export interface LabelledValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** How everything stands at one moment. */
export interface Snapshot {
  readonly status: Status;
  readonly figures: RunFigures;
  readonly microBatchSize: number;
  readonly totals: Totals;
}

/** What this process has committed, recomputed steps included: these never go back. */
export interface Totals {
  steps: number;
  samples: number;
  evaluations: number;
  checkpoints: number;
  rollbacks: number;
  readonly phaseSeconds: Map<string, number>;
}

const PHASES = ["gathering", "restoring", "boundary", "evaluating", "stepping", "ended"];

type Pick = (now: Snapshot) => number | undefined;

function single(type: Definition["type"], name: string, help: string, pick: Pick): Definition {
  return {
    ...{ type, name, help },
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
  values: (now: Snapshot) => readonly (readonly [value: number, ...labels: string[]])[],
): Definition {
  return {
    ...{ type, name, help, labels },
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
    "Which run this is; always 1.",
    ["run_id", "task", "version"],
    ({ status }) => [[1, status.runId ?? "", status.task ?? "", status.version ?? ""]],
  ),
  labelled("gauge", "isobatch_run_phase", "1 for the phase that the run is in, 0 for the others.", ["phase"], (now) =>
    PHASES.map((phase) => [now.status.phase === phase ? 1 : 0, phase]),
  ),
  gauge("isobatch_term", "Starts and rollbacks of the run so far.", ({ status }) => Number(status.term)),
  gauge("isobatch_step", "Steps that led to the present weights.", ({ status }) => Number(status.step)),
  gauge("isobatch_steps_planned", "Steps of the whole run.", ({ status }) => Number(status.steps)),
  gauge("isobatch_samples", "Samples that the present weights have seen.", ({ status }) => Number(status.samples)),
  gauge("isobatch_samples_planned", "Samples of the whole run.", ({ status }) => Number(status.samplesTotal)),
  counter(
    "isobatch_committed_steps_total",
    "Steps committed by this process, recomputed ones too.",
    (now) => now.totals.steps,
  ),
  counter("isobatch_committed_samples_total", "Samples of those steps.", (now) => now.totals.samples),
  gauge("isobatch_train_loss", "Mean loss of the last step's samples, before the update.", ({ status }) => status.loss),
  gauge("isobatch_test_loss", "Mean loss of the test samples at the last evaluation.", ({ status }) =>
    status.evaluated ? Number(status.evaluationLoss) : undefined,
  ),
  gauge("isobatch_test_accuracy_ratio", "Share of the test samples classified right, 0 to 1.", ({ status }) =>
    status.evaluated ? Number(status.evaluationAccuracy) : undefined,
  ),
  gauge(
    "isobatch_learning_rate",
    "Learning rate of the last step, scaled by the rule.",
    ({ status }) => status.learningRate,
  ),
  gauge(
    "isobatch_micro_batches_per_step",
    "Micro-batches in a step (kappa).",
    ({ status }) => status.microBatchesPerStep,
  ),
  gauge(
    "isobatch_batch_samples",
    "Samples in a step.",
    (now) => (now.status.microBatchesPerStep ?? 0) * (now.status.microBatchSize ?? 0),
  ),
  gauge(
    "isobatch_noise_scale_samples",
    "Gradient noise scale: up to about so many samples a step, a larger batch still pays.",
    ({ status }) => status.noiseScale,
  ),
  labelled("gauge", "isobatch_workers", "Workers that are attached.", ["backend", "state"], ({ status }) =>
    grouped(status.workers ?? [], (worker) => [worker.numerics?.backend ?? "", worker.state ?? ""]),
  ),
  gauge("isobatch_workers_advised", "So many workers pay, more do not; absent while it is not known.", ({ status }) =>
    status.workersAdvised === 0 ? undefined : status.workersAdvised,
  ),
  labelled(
    "counter",
    "isobatch_worker_micro_batches_total",
    "Committed micro-batches of a worker that is attached.",
    ["worker"],
    ({ status }) => (status.workers ?? []).map((worker) => [Number(worker.microBatches), worker.id ?? ""]),
  ),
  counter(
    "isobatch_workers_joined_total",
    "Workers that came, a returning one anew.",
    ({ figures }) => figures.tally.joined,
  ),
  counter(
    "isobatch_workers_lost_total",
    "Workers that went, for whatever reason.",
    ({ figures }) => figures.tally.lost,
  ),
  labelled("gauge", "isobatch_shards", "Shards of the weights.", ["state"], ({ status }) =>
    grouped(status.shards ?? [], (shard) => [shard.state ?? ""]),
  ),
  labelled(
    "counter",
    "isobatch_phase_seconds_total",
    "Time of committed steps by phase; step, samples, merge and update overlap the others.",
    ["phase"],
    (now) => [...now.totals.phaseSeconds].map(([phase, seconds]) => [seconds, phase]),
  ),
  counter("isobatch_evaluations_total", "Evaluations of the test samples.", (now) => now.totals.evaluations),
  gauge("isobatch_checkpoint_step", "Step of the newest checkpoint.", ({ status }) => {
    const step = Number(status.checkpointStep);
    return step < 0 ? undefined : step;
  }),
  gauge(
    "isobatch_checkpoint_age_seconds",
    "Time since that checkpoint was written or loaded.",
    ({ figures }) => figures.checkpointAgeSeconds,
  ),
  counter("isobatch_checkpoints_total", "Checkpoints written by this process.", (now) => now.totals.checkpoints),
  counter(
    "isobatch_rollbacks_total",
    "Times that the run went back to a checkpoint under this process.",
    (now) => now.totals.rollbacks,
  ),
  counter(
    "isobatch_recomputed_steps_total",
    "Steps of the run that were computed again after a crash or a rollback.",
    ({ figures }) => figures.recomputedSteps,
  ),
  labelled("counter", "isobatch_leases_total", "Leases given to workers.", ["stage"], ({ figures }) =>
    Object.entries(figures.tally.leases).map(([stage, count]) => [count, stage]),
  ),
  labelled(
    "counter",
    "isobatch_leased_again_total",
    "Micro-batches, or evaluation batches, leased once more because a lease was lost, late or failed.",
    ["stage"],
    ({ figures }) => Object.entries(figures.tally.leasedAgain).map(([stage, count]) => [count, stage]),
  ),
  labelled("counter", "isobatch_lease_failures_total", "Leases that workers gave back.", ["kind"], ({ figures }) =>
    Object.entries(figures.tally.failures).map(([kind, count]) => [count, kind]),
  ),
  labelled("counter", "isobatch_sums_received_bytes_total", "Sums pushed to a shard.", ["shard"], ({ figures }) =>
    ofShards(figures, (traffic) => traffic.bytesReceived),
  ),
  labelled("counter", "isobatch_weights_sent_bytes_total", "Weights sent by a shard.", ["shard"], ({ figures }) =>
    ofShards(figures, (traffic) => traffic.bytesSent),
  ),
  counter("isobatch_samples_sent_bytes_total", "Samples sent to workers.", ({ figures }) => figures.tally.sampleBytes),
  labelled(
    "counter",
    "isobatch_pushes_rejected_total",
    "Pushes that a shard refused.",
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
