import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { MetricsLine } from "../../../server/record/index.js";
import type { DashboardSource } from "../source.js";
import { DEFINITIONS, type Definition, type MetricsSnapshot, type Totals } from "./definitions.js";

/** A run's metrics in Prometheus' text format, with those of the process. */
export interface RunMetrics {
  readonly contentType: string;
  text(): Promise<string>;
  close(): void;
}

/** From steps of a few milliseconds to steps of minutes. */
const STEP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export function createRunMetrics(source: DashboardSource): RunMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // These gauges have names of counters, against Prometheus' conventions.
  for (const kind of ["handles", "requests", "resources"]) registry.removeSingleMetric(`nodejs_active_${kind}_total`);
  const duration = new Histogram({
    name: "isobatch_step_duration_seconds",
    help: "Time of a whole step, from its plan to its commit.",
    buckets: STEP_SECONDS,
    registers: [registry],
  });
  const totals: Totals = {
    steps: 0,
    samples: 0,
    evaluations: 0,
    checkpoints: 0,
    rollbacks: 0,
    phaseSeconds: new Map(),
  };
  const { microBatchSize } = source.task;
  // Only new lines: those already in the file are of earlier processes, and counters start with the process.
  const unsubscribe = source.metrics.subscribe(Number.POSITIVE_INFINITY, (json) => {
    const line = JSON.parse(json) as MetricsLine;
    count(totals, line, microBatchSize);
    if (line.type === "step") duration.observe((line.ms.step ?? 0) / 1000);
  });

  let now: MetricsSnapshot;
  for (const definition of DEFINITIONS) register(definition, registry, () => now);
  return {
    contentType: registry.contentType,
    text() {
      now = { status: source.status(), figures: source.figures(), microBatchSize, totals };
      return registry.metrics();
    },
    close() {
      unsubscribe();
      registry.clear();
    },
  };
}

/** Adds a line of metrics.jsonl to the totals. @param microBatchSize b */
export function count(totals: Totals, line: MetricsLine, microBatchSize: number): void {
  if (line.type === "evaluation") totals.evaluations++;
  if (line.type === "event" && line.event === "checkpoint") totals.checkpoints++;
  if (line.type === "event" && line.event === "restored") totals.rollbacks++;
  if (line.type !== "step") return;
  totals.steps++;
  totals.samples += line.microBatches * microBatchSize;
  for (const [phase, ms] of Object.entries(line.ms)) {
    totals.phaseSeconds.set(phase, (totals.phaseSeconds.get(phase) ?? 0) + ms / 1000);
  }
}

function register(
  { type, name, help, labels = [], values }: Definition,
  registry: Registry,
  now: () => MetricsSnapshot,
): void {
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === "gauge") {
    new Gauge({
      ...options,
      collect() {
        empty(this, labels);
        for (const { labels: texts, value } of values(now())) this.set(texts, value);
      },
    });
  } else {
    new Counter({
      ...options,
      collect() {
        empty(this, labels);
        for (const { labels: texts, value } of values(now())) this.inc(texts, value);
      },
    });
  }
}

/** `reset` by itself leaves a 0 where there are no labels, which would be a value that nobody has measured. */
function empty(metric: { reset(): void; remove(...labels: string[]): void }, labels: readonly string[]): void {
  metric.reset();
  if (labels.length === 0) metric.remove();
}
