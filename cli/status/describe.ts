import type { Status } from "../../shared/wire/index.js";
import { dataText, epochOf, modelText } from "../progress/facts.js";
import { count, duration, measure, percent, plural, printable } from "../progress/format.js";
import { table } from "../progress/table.js";

/** The state of a run, as lines for a pipe. */
export function describeStatus(status: Status): string[] {
  const { samples, samplesTotal, evaluated, evaluationLoss, evaluationAccuracy } = status;
  const { learningRate, gamma1, gamma2, noiseScale, advice } = status;
  const microBatches = plural(status.microBatchesPerStep, "micro-batch", "micro-batches");
  const accuracy = Number.isFinite(evaluationAccuracy) ? `, accuracy ${percent(evaluationAccuracy)}` : "";
  const share = samplesTotal === 0 ? 0 : samples / samplesTotal;
  const rows: [string, string][] = [
    ["task", status.task],
    ["run", status.runId],
    ["phase", `${status.phase}, term ${count(status.term)}`],
    ["step", `${count(status.step)} of ${count(status.steps)}`],
    ["samples", `${count(samples)} of ${count(samplesTotal)} (${percent(share, 0)})`],
    ["epoch", epochOf(samples, samplesTotal, status.trainingSamples)],
    ["model", modelText(status)],
    ["data", dataText(status)],
    ["speed", `${measure(status.samplesPerSecond)} samples/s, ${duration(status.secondsLeft)} left`],
    [
      "κ",
      `${microBatches} (${status.kappaRule}), a batch of ${plural(status.microBatchesPerStep * status.microBatchSize, "sample")}`,
    ],
    [
      "rates",
      status.step === 0 ? "no step yet" : `η′ ${measure(learningRate)}, Γ1 ${measure(gamma1)}, Γ2 ${measure(gamma2)}`,
    ],
    ["noise scale", Number.isFinite(noiseScale) ? plural(Math.round(noiseScale), "sample") : "not resolved"],
    ["more workers", advice],
    ["loss", status.step === 0 ? "no step yet" : measure(status.loss)],
    [
      "test loss",
      evaluated
        ? `${measure(evaluationLoss)}${accuracy}${status.evaluationStep === 0 ? " (untrained)" : ""}`
        : "not evaluated yet",
    ],
    ["checkpoint", status.checkpointStep < 0 ? "none yet" : `of step ${count(status.checkpointStep)}`],
    ["version", status.version],
    ...failureRows(status),
  ];
  const workers = status.workers.map((worker) => [
    worker.id,
    `${worker.host}:${worker.processId}`,
    worker.state,
    printable(worker.device),
    plural(worker.computeThreads, "thread"),
    transportText(worker.transport),
    `${measure(worker.microBatchesPerSecond)} micro-batches/s`,
    `${count(worker.microBatches)} done`,
    `seen ${duration(worker.lastSeenSeconds)} ago`,
  ]);
  const shards = status.shards.map((shard) => [
    `shard ${shard.index}`,
    shard.address,
    shard.state,
    `version ${count(shard.version)}`,
    `chunks ${shard.firstChunk}–${shard.endChunk - 1}`,
  ]);
  return [...table(rows), "", ...table(workers.length === 0 ? [["no workers"]] : workers), "", ...table(shards)];
}

/** How gradients and weights travel between a worker and the server. */
function transportText(transport: string): string {
  return transport === ""
    ? "joining"
    : ({ memory: "in memory", copied: "copied", wire: "over the wire" }[transport] ?? "mixed");
}

function failureRows({ failure, workerFailure }: Status): [string, string][] {
  if (failure !== "") return [["failed", printable(failure)]];
  return workerFailure === "" ? [] : [["workers fail", printable(workerFailure)]];
}
