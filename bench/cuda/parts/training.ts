/** Trains an MLP and a ResNet-18 on real digits in two processes each, and compares the bits, and the first loss with wasm's. */
import { fileURLToPath } from "node:url";
import type { BackendName } from "../../../backends/machine/index.js";
import { lastLine, runChild } from "../child.js";
import type { CheckPart, PartContext } from "../report.js";
import type { TrainingReport } from "../training-program.js";
import { type CheckedModel, FALLS_TO } from "../training-tasks.js";

export interface TrainingRow {
  readonly model: CheckedModel;
  readonly steps: number;
  readonly firstLoss: number;
  /** The loss of the same step on the wasm backend. */
  readonly firstLossOnWasm: number;
  /** The mean loss of the last quarter of the steps. */
  readonly lastLoss: number;
  readonly samplesPerSecond: number;
  readonly stateHash: string;
  /** Whether a second process computed the same bits. */
  readonly repeats: boolean;
}

/** The relative tolerance between two float32 computations of a loss through a whole model. */
const LOSS_TOLERANCE = 1e-4;
const PROGRAM = fileURLToPath(new URL("../training-program.js", import.meta.url));

export const part: CheckPart<TrainingRow> = async (context, say) => {
  for (const model of ["mlp", "resnet18"] as const) {
    const first = await train(context, context.backend, model);
    const second = await train(context, context.backend, model);
    const [firstLossOnWasm] = (await train(context, "wasm", model, 1)).losses;
    const { losses, samplesPerSecond, stateHash } = first;
    const last = losses.slice(-Math.ceil(losses.length / 4));
    const lastLoss = last.reduce((sum, loss) => sum + loss, 0) / last.length;
    const repeats = second.stateHash === stateHash;
    const [firstLoss] = losses;
    say.row({
      ...{ model, steps: losses.length, firstLoss, firstLossOnWasm, lastLoss },
      ...{ samplesPerSecond, stateHash, repeats },
    });
    if (!repeats) say.fail(`Training ${model} twice gives other bits.`);
    if (!(Math.abs(firstLoss - firstLossOnWasm) <= LOSS_TOLERANCE * firstLossOnWasm)) {
      say.fail(`The first loss of ${model} is ${firstLoss}; on wasm it is ${firstLossOnWasm}.`);
    }
    if (!(lastLoss < FALLS_TO[model] * firstLoss)) {
      say.fail(`The loss of ${model} has gone from ${firstLoss} to ${lastLoss}.`);
    }
  }
};

async function train(
  { size, endsAt }: PartContext,
  on: BackendName,
  model: CheckedModel,
  steps?: number,
): Promise<TrainingReport> {
  const args = [PROGRAM, on, size, model, ...(steps === undefined ? [] : [String(steps)])];
  const { code, stdout, stderr } = await runChild(process.execPath, args, endsAt - Date.now());
  if (code !== 0) throw new Error(`training ${model} on ${on} failed: ${lastLine(stderr)}`);
  return JSON.parse(lastLine(stdout)) as TrainingReport;
}
