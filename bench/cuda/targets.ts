/** Targets for a GPU's speed, and the measured values. They do not decide whether the check passes. */
import { LOOPED_TASKS } from "./cluster/tasks.js";
import type { CheckedModelName } from "./models.js";
import type { CheckReport } from "./report.js";

export interface SpeedTarget {
  /** The figure that has a target. */
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  /** Whether the value should be at most the limit; otherwise it should be at least the limit. */
  readonly atMost: boolean;
  readonly met: boolean;
}

/** The ratio of a gradient's time to PyTorch's, in float32. */
const FLOAT32_RATIO_MAX: Readonly<Record<CheckedModelName, number>> = {
  ...{ "mlp-512": 1.3, "mlp-2750": 1.3, cnn: 1.3 },
  ...{ resnet18: 1.1, gpt: 1.1, vit: 1.1 },
};
/** The same ratio in TF32. */
const TF32_RATIO_MAX = 1.3;
/** The ratio of samples per second to those of PyTorch's training loop. */
const CLUSTER_RATIO_MIN = 0.7;
const BUSY_MIN = 0.7;

type Parts = CheckReport["parts"];

export function targetsOf(parts: Parts): SpeedTarget[] {
  return [...gradientTargets(parts), ...tf32Targets(parts), ...clusterTargets(parts)];
}

/** A sentence for each model that has another size in PyTorch, so that its times can't be compared. */
export function unlikeModels({ gradients, torch }: Parts): string[] {
  return (torch?.rows ?? []).flatMap((row) => {
    if (row.kind !== "gradient") return [];
    const ours = gradients?.rows.find(({ model }) => model === row.model);
    if (ours === undefined || ours.parameters === row.parameters) return [];
    return [`${row.model} has ${ours.parameters} parameters here, and ${row.parameters} in PyTorch.`];
  });
}

function gradientTargets({ gradients, torch }: Parts): SpeedTarget[] {
  return (gradients?.rows ?? []).flatMap(({ model, ms }) => {
    const peer = torch?.rows.find(
      (row) => row.kind === "gradient" && row.model === model && row.precision === "float32",
    );
    if (peer?.kind !== "gradient") return [];
    return [atMost(`gradient of ${model} ÷ PyTorch's, float32`, ms / peer.ms, FLOAT32_RATIO_MAX[model])];
  });
}

function tf32Targets({ precision, torch }: Parts): SpeedTarget[] {
  return (precision?.rows ?? []).flatMap((row) => {
    if (row.kind !== "gradient") return [];
    const { model, ms } = row;
    const peer = torch?.rows.find(
      (other) => other.kind === "gradient" && other.model === model && other.precision === "tf32",
    );
    if (peer?.kind !== "gradient") return [];
    return [atMost(`gradient of ${model} ÷ PyTorch's, TF32`, ms / peer.ms, TF32_RATIO_MAX)];
  });
}

function clusterTargets({ cluster, torch }: Parts): SpeedTarget[] {
  const targets: SpeedTarget[] = [];
  const first = new Set<string>();
  for (const { task, workers, samplesPerSecond, busy } of cluster?.rows ?? []) {
    if (workers !== 1 || first.has(task) || !LOOPED_TASKS.some((name) => name === task)) continue;
    first.add(task);
    const loops = (torch?.rows ?? []).flatMap((row) => (row.kind === "loop" && row.task === task ? [row] : []));
    if (loops.length > 0) {
      const theirs = Math.max(...loops.map((loop) => loop.samplesPerSecond));
      targets.push(atLeast(`samples/s of ${task} ÷ PyTorch's loop`, samplesPerSecond / theirs, CLUSTER_RATIO_MIN));
    }
    if (busy !== null) {
      targets.push(atLeast(`share of the time that the GPU is busy with ${task}`, busy.share, BUSY_MIN));
    }
  }
  return targets;
}

const atMost = (what: string, value: number, limit: number): SpeedTarget => ({
  ...{ what, value, limit, atMost: true, met: value <= limit },
});
const atLeast = (what: string, value: number, limit: number): SpeedTarget => ({
  ...{ what, value, limit, atMost: false, met: value >= limit },
});

/** A target as one line of text. */
export function lineOf({ what, value, limit, atMost, met }: SpeedTarget): string {
  const [seen, wanted] = [value, limit].map((number) => Number(number.toPrecision(3)));
  return `${met ? "met" : "NOT MET"}: ${what}: ${seen} (wanted: ${atMost ? "≤" : "≥"} ${wanted})`;
}
