import type { Status } from "../../shared/wire/index.js";
import type { RunStatus } from "../types/status.js";

/**
 * A server's status as programs get it: by `status()`, and by `isobatch status --json`. Fields stay as they are while the first number of
 * Isobatch's version does; what is not known (yet) is null.
 */
export function runStatus(status: Status): RunStatus {
  const known = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return {
    version: status.version,
    runId: status.runId,
    task: status.task,
    phase: status.phase,
    term: status.term,
    step: status.step,
    steps: status.steps,
    samples: status.samples,
    samplesTotal: status.samplesTotal,
    trainingSamples: status.trainingSamples,
    testSamples: status.testSamples,
    model: {
      kind: status.modelKind,
      layers: status.modelLayers,
      parameters: status.parameters,
      trainedParameters: status.trainedParameters,
    },
    samplesPerSecond: status.samplesPerSecond,
    secondsLeft: known(status.secondsLeft),
    loss: known(status.loss),
    evaluation: status.evaluated
      ? {
          step: status.evaluationStep,
          loss: known(status.evaluationLoss),
          accuracy: known(status.evaluationAccuracy),
        }
      : null,
    microBatchSize: status.microBatchSize,
    microBatchesPerStep: status.microBatchesPerStep,
    kappaRule: status.kappaRule,
    learningRate: known(status.learningRate),
    gamma1: known(status.gamma1),
    gamma2: known(status.gamma2),
    noiseScale: known(status.noiseScale),
    workersAdvised: status.workersAdvised > 0 ? status.workersAdvised : null,
    advice: status.advice,
    failure: status.failure === "" ? null : status.failure,
    workerFailure: status.workerFailure === "" ? null : status.workerFailure,
    checkpointStep: status.checkpointStep >= 0 ? status.checkpointStep : null,
    workers: status.workers.map(({ numerics, ...worker }) => ({
      id: worker.id,
      host: worker.host,
      processId: worker.processId,
      state: worker.state,
      device: worker.device,
      backend: numerics?.backend ?? "",
      flags: numerics?.flags ?? "",
      computeThreads: worker.computeThreads,
      microBatches: worker.microBatches,
      microBatchesPerSecond: worker.microBatchesPerSecond,
      lastSeenSeconds: worker.lastSeenSeconds,
      transport: worker.transport === "" ? null : worker.transport,
    })),
    shards: status.shards.map((shard) => ({
      index: shard.index,
      address: shard.address,
      state: shard.state,
      version: shard.version,
      firstChunk: shard.firstChunk,
      endChunk: shard.endChunk,
    })),
  };
}
