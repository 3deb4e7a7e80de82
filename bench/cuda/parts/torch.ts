/** PyTorch on the same device: the gradients of the same models, and its own training loop for the cluster's tasks. */
import { fileURLToPath } from "node:url";
import { lastLine, runChild } from "../child.js";
import { LOOPED_TASKS, type LoopedTask, loopOf } from "../cluster/tasks.js";
import { CHECKED_MODELS, type CheckedModelName, MODEL_SIZES } from "../models.js";
import type { CheckPart, CheckSize } from "../report.js";
import { findTorch, torchEnvironment } from "../torch-python.js";

/** The versions of PyTorch, CUDA and cuDNN, and the device. */
export interface TorchOpened {
  readonly kind: "opened";
  readonly version: string;
  readonly cuda: string | null;
  readonly cudnn: number | null;
  readonly device: string;
}

export interface TorchGradient {
  readonly kind: "gradient";
  readonly model: CheckedModelName;
  readonly precision: "float32" | "tf32";
  readonly parameters: number;
  readonly batch: number;
  /** The median, with samples uploaded and gradients in pinned memory. */
  readonly ms: number;
  readonly fastestMs: number;
  readonly runs: number;
  /** The median, with the gradients left on the device. */
  readonly inPlaceMs: number;
}

export interface TorchLoop {
  readonly kind: "loop";
  readonly task: LoopedTask;
  /** Whether a step's micro-batches are computed together; else one by one, with gradients accumulated. */
  readonly atOnce: boolean;
  readonly samplesPerSecond: number;
  readonly stepMs: number;
  readonly steps: number;
  readonly memoryMiB: number | null;
}

export type TorchRow = TorchOpened | TorchGradient | TorchLoop;
type TorchLine = TorchRow | { readonly kind: "failed"; readonly name: string; readonly reason: string };

const SCRIPT = fileURLToPath(new URL("../torch_check.py", import.meta.url));
const RUNS: Record<CheckSize, number> = { gpu: 30, cpu: 5, quick: 2 };
/** The time left for a model that is under way when PyTorch is to end. */
const RESERVE_MS = 5000;

export const part: CheckPart<TorchRow> = async ({ on, size, torch, endsAt }, say) => {
  const found = await findTorch(on, torch, endsAt - RESERVE_MS);
  if ("reason" in found)
    return say.absent(`There is no PyTorch to compare with (${found.reason}); name one with --torch.`);
  const options = {
    ...{ runs: RUNS[size], endsAt: endsAt - RESERVE_MS },
    gradients: CHECKED_MODELS.map((name) => ({ name, ...sizesOf(size, name) })),
    loops: LOOPED_TASKS.map((name) => ({ name, ...loopOf(size, name) })),
  };
  const limitMs = endsAt - Date.now() - 500;
  const env = torchEnvironment();
  const { code, isLate, stdout, stderr } = await runChild(found.python, [SCRIPT, JSON.stringify(options)], limitMs, {
    env,
  });
  for (const text of stdout.split("\n").filter((line) => line.startsWith("{"))) {
    const line = JSON.parse(text) as TorchLine;
    if (line.kind === "failed") say.absent(`PyTorch has not computed ${line.name} (${line.reason}).`);
    else say.row(line);
  }
  if (isLate) say.absent("PyTorch did not end in time.");
  else if (code !== 0) say.absent(`PyTorch failed (${lastLine(stderr)}).`);
};

/** A model as torch_check.py takes it. */
function sizesOf(size: CheckSize, name: CheckedModelName): object {
  const sizes = MODEL_SIZES[size];
  const batch = sizes.batches[name];
  switch (name) {
    case "mlp-512":
    case "mlp-2750":
      return { kind: "mlp", units: sizes.units[name], batch };
    case "cnn":
      return { kind: "cnn", batch };
    default:
      return { kind: name, ...sizes[name], batch };
  }
}
