import type { DashboardSource } from "../source.js";
import type { LiveStatus } from "../view/live.js";

/** The run's status as the page gets it. */
export function liveStatus(source: Pick<DashboardSource, "status" | "figures">): LiveStatus {
  const status = source.status();
  const { tally, shardTraffic, checkpoints, checkpointAgeSeconds, recomputedSteps } = source.figures();
  const { phase, term, step, steps, samples, samplesTotal, samplesPerSecond, evaluated, trainingSamples } = status;
  const { advice, failure, workerFailure } = status;
  return {
    phase,
    term,
    step,
    steps,
    samples,
    samplesTotal,
    trainingSamples,
    samplesPerSecond,
    recomputedSteps,
    checkpoints,
    advice,
    failure,
    workerFailure,
    secondsLeft: finite(status.secondsLeft),
    testLoss: evaluated ? finite(status.evaluationLoss) : null,
    testAccuracy: evaluated ? finite(status.evaluationAccuracy) : null,
    microBatchesPerStep: status.microBatchesPerStep,
    noiseScale: finite(status.noiseScale),
    learningRate: finite(status.learningRate),
    workersAdvised: status.workersAdvised === 0 ? null : status.workersAdvised,
    leasedAgain: tally.leasedAgain.step + tally.leasedAgain.evaluation,
    rejectedPushes: shardTraffic.reduce((sum, traffic) => sum + rejectedIn(traffic?.rejected), 0),
    checkpointAgeSeconds: checkpointAgeSeconds ?? null,
    workers: status.workers.map((worker) => ({
      id: worker.id,
      backend: worker.numerics?.backend ?? "",
      device: worker.device,
      computeThreads: worker.computeThreads,
      state: worker.state,
      microBatchesPerSecond: worker.microBatchesPerSecond,
      microBatches: worker.microBatches,
      lastSeenSeconds: worker.lastSeenSeconds,
    })),
    shards: status.shards.map(({ index, address, state, version, firstChunk, endChunk }) => ({
      index,
      address,
      state,
      version,
      chunks: endChunk - firstChunk,
      bytesReceived: shardTraffic[index]?.bytesReceived ?? null,
      bytesSent: shardTraffic[index]?.bytesSent ?? null,
    })),
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function rejectedIn(counts: ReadonlyMap<string, number> | undefined): number {
  return [...(counts?.values() ?? [])].reduce((sum, count) => sum + count, 0);
}
