/**
 * A run that nobody computes, as the dashboard sees a coordinator: lines of metrics and a status that fit together, of
 * any length and with any number of workers.
 */

import type { MetricsLine, RunFacts, StepLine } from "../../server/record/index.js";
import { createLayout } from "../../shared/layout/index.js";
import type { ControlRequest, Status } from "../../shared/wire/index.js";
import type { Task } from "../../tasks/index.js";
import type { DashboardSource } from "./index.js";

type Changeable<T> = T extends object ? { -readonly [Key in keyof T]: Changeable<T[Key]> } : T;

export interface MadeUpRun {
  readonly source: DashboardSource;
  /** What was asked of it. */
  readonly asked: readonly ControlRequest[];
  /** A test may change it. */
  readonly status: Changeable<Status>;
  /** Commits the next step, with an evaluation now and then. */
  step(): void;
  append(line: MetricsLine): void;
  /** The record goes back to a step, as after the loss of a shard. */
  goBack(step: number): void;
}

export interface MadeUpOptions {
  readonly workers: number;
  /** Committed before anybody looks. */
  readonly steps: number;
  /** The steps of the whole run. */
  readonly stepsPlanned?: number;
}

const B = 64;
/** Like the built-in mnist. */
const TASK: Task = {
  name: "mnist",
  seed: 0,
  model: { kind: "sequential", layers: [{ layer: "Flatten" }] },
  initialWeights: "seeded",
  loss: "softmaxCrossEntropy",
  labelSmoothing: 0,
  dataset: { kind: "mnist", limit: null, testLimit: null },
  microBatchSize: B,
  microBatchesPerStep: 4,
  samples: 600_000,
  optimizer: { name: "invariant", rule: "linear" },
  learningRate: 0.001,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  weightDecayExclude: ["*/bias"],
  schedule: { kind: "cosine", warmupSamples: 0, totalSamples: 600_000, finalFraction: 0 },
  clipNorm: null,
  freeze: [],
  evaluateEverySamples: 60_000,
  evaluationBatchSize: 500,
  checkpointEverySamples: 60_000,
  checkpointsKept: 3,
  mixed: false,
  wire: "float32",
  precision: "float32",
};
const FACTS: RunFacts = {
  modelKind: "sequential",
  modelLayers: 4,
  parameters: 118_282,
  trainedParameters: 118_282,
  trainingSamples: 60_000,
  testSamples: 10_000,
  classes: 10,
};
const EVALUATIONS = 60;
const STATES = ["computing", "computing", "computing", "idle"];

export function createMadeUpRun({ workers, steps, stepsPlanned = Math.max(20, steps * 2) }: MadeUpOptions): MadeUpRun {
  const lines: string[] = [];
  const listeners = new Set<(json: string, line: number) => unknown>();
  const asked: ControlRequest[] = [];
  const kappa = Math.max(4, workers);
  let seed = 12_345;
  const random = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  const status: Changeable<Status> = {
    ...{ runId: "5f0c1c2e-0000-4000-8000-000000000000", task: "mnist", phase: "stepping", term: 1, version: "0.1.0" },
    ...{ step: 0, steps: stepsPlanned, samples: 0, samplesTotal: stepsPlanned * kappa * B, loss: Number.NaN },
    ...{
      samplesPerSecond: 0,
      microBatchesPerStep: kappa,
      checkpointStep: 0,
      evaluated: false,
      secondsLeft: Number.NaN,
    },
    ...{
      evaluationStep: -1,
      evaluationLoss: Number.NaN,
      evaluationAccuracy: Number.NaN,
      microBatchSize: B,
      kappaRule: `always ${kappa}`,
      noiseScale: Number.NaN,
    },
    ...{ workersAdvised: 0, advice: "how many workers help is not known yet" },
    ...{ failure: "", workerFailure: "" },
    ...{ modelKind: "sequential", modelLayers: 4, parameters: 669_706, trainedParameters: 669_706 },
    ...{ trainingSamples: 60_000, testSamples: 10_000 },
    ...{ learningRate: Number.NaN, gamma1: Number.NaN, gamma2: Number.NaN },
    workers: Array.from({ length: workers }, (_, i) => ({
      id: `node-${String(i % 9).padStart(2, "0")}-${i + 1}`,
      ...{ host: `node-${i % 9}`, processId: 4_000 + i, computeThreads: 2 },
      numerics: { backend: "wasm", version: "4.22.0", architecture: "x64", flags: "simd" },
      device: "WebAssembly SIMD on AMD EPYC, 2 threads",
      transport: "wire",
      state: STATES[i % STATES.length],
      ...{ microBatchesPerSecond: 12 + (i % 5), microBatches: 0, lastSeenSeconds: 0.2 },
    })),
    shards: [0, 1].map((index) => ({
      ...{ index, address: `:${7_400 + index}`, state: "attached", version: 0 },
      ...{ firstChunk: index * 4, endChunk: index * 4 + 4 },
    })),
  };

  function append(line: MetricsLine): void {
    const json = JSON.stringify(line);
    lines.push(json);
    for (const listener of listeners) listener(json, lines.length - 1);
  }

  function event(name: string, details: object): void {
    append({ type: "event", event: name, at: new Date(1_800_000_000_000).toISOString(), ...details });
  }

  function evaluate(): void {
    const share = status.step / stepsPlanned;
    const loss = 2.3 * Math.exp(-9 * share) + 0.07;
    const accuracy = 0.985 - 0.88 * Math.exp(-14 * share);
    append({ type: "evaluation", step: status.step, samples: status.samples, loss, accuracy });
    Object.assign(status, { evaluated: true, evaluationLoss: loss, evaluationAccuracy: accuracy });
  }

  function step(): void {
    if (status.step % Math.max(1, Math.floor(stepsPlanned / EVALUATIONS)) === 0) evaluate();
    const share = status.step / stepsPlanned;
    const loss = (2.3 * Math.exp(-9 * share) + 0.06) * (0.7 + 0.6 * random());
    const learningRate = 0.001 * kappa * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, share)));
    const scale = 60 + 900 * share * (0.95 + 0.1 * random());
    const ms: StepLine["ms"] = {
      ...{ step: 42 + 6 * random(), pull: 3 + random(), wait: 1 + random(), compute: 27 + 4 * random() },
      ...{ push: 9 + 3 * random(), samples: 1 + random(), merge: 3 + random(), update: 2 + random() },
    };
    const samples = status.samples + kappa * B;
    append({
      ...{ type: "step", step: status.step, samples, loss, learningRate, gamma1: 0.4, gamma2: 0.004, ms },
      ...{ microBatches: kappa, workers, noiseScale: { trace: 1, squaredGradient: 1, scale } },
    });
    Object.assign(status, { step: status.step + 1, samples, loss, learningRate, noiseScale: scale });
    Object.assign(status, { samplesPerSecond: 5_400, secondsLeft: (status.samplesTotal - samples) / 5_400 });
    Object.assign(status, { workersAdvised: 8, advice: "up to 8 workers make training faster; more don't" });
    for (const worker of status.workers) worker.microBatches += Math.max(1, Math.floor(kappa / workers));
    for (const shard of status.shards) shard.version = status.step;
  }

  event("started", { version: status.version });
  event("restored", { term: 1, step: 0, recomputedSteps: 0 });
  for (const { id, device, computeThreads } of status.workers)
    event("workerJoined", { worker: id, device, computeThreads });
  for (let i = 0; i < steps; i++) {
    step();
    if (status.step % Math.ceil(stepsPlanned / 8) === 0) {
      status.checkpointStep = status.step;
      event("checkpoint", { step: status.step });
    }
  }

  return {
    asked,
    status,
    step,
    append,
    goBack(to) {
      const kept = lines.filter((json) => {
        const line = JSON.parse(json) as MetricsLine;
        return line.type === "event" || line.step < to;
      });
      lines.splice(0, lines.length, ...kept);
      Object.assign(status, { step: to, samples: to * kappa * B, term: status.term + 1 });
      event("restored", { term: status.term, step: to, recomputedSteps: 1 });
    },
    source: {
      runId: status.runId,
      version: status.version,
      task: { ...TASK, samples: status.samplesTotal, microBatchesPerStep: kappa },
      facts: FACTS,
      layout: createLayout([
        { name: "dense_1/kernel", shape: [784, 10], kind: "parameter", decay: true },
        { name: "dense_1/bias", shape: [10], kind: "parameter", decay: false },
      ]),
      command: "isobatch server mnist --http 0.0.0.0:7401",
      status: () => status,
      metrics: {
        subscribe(fromLine, listener) {
          for (let i = fromLine; i < lines.length; i++) listener(lines[i], i);
          listeners.add(listener);
          return () => {
            listeners.delete(listener);
            return lines.length;
          };
        },
      },
      figures: () => ({
        checkpoints: [...new Set([0, status.checkpointStep])],
        checkpointAgeSeconds: 93,
        recomputedSteps: 0,
        tally: {
          ...{ leases: { step: 4, evaluation: 2 }, leasedAgain: { step: 3, evaluation: 0 }, joined: workers, lost: 0 },
          ...{ failures: { non_finite: 1, other: 0 }, sampleBytes: 5_000 },
        },
        shardTraffic: [
          { bytesReceived: 123_456_789, bytesSent: 98_765_432, rejected: new Map([["term", 2]]) },
          { bytesReceived: 113_456_789, bytesSent: 88_765_432, rejected: new Map() },
        ],
      }),
      control(request) {
        asked.push(request);
        return "A checkpoint is written after this step.";
      },
    },
  };
}
