/**
 * A process that times compiled gradients with the program settings in its environment (ISOBATCH_TENSORFLOW_PROGRAM). Its
 * arguments are the backend, the size and the models; it prints one line of JSON for each model.
 */
import { createHash } from "node:crypto";
import { isBackendName, openBackend } from "../../backends/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import { messageOf } from "../../shared/errors.js";
import { measure } from "../gradients.js";
import { median } from "../statistics.js";
import { openGradientOf } from "../worker-gradient.js";
import { type CheckedModelName, checkedModel } from "./models.js";
import type { CheckSize } from "./report.js";
import { timesOf } from "./times.js";

export interface VariantTimes {
  readonly model: CheckedModelName;
  /** The median time; null: the gradient could not be computed. */
  readonly ms: number | null;
  /** The time of the first gradient, in which the program is made; null: the gradient could not be computed. */
  readonly firstMs: number | null;
  /** The SHA-256 of a gradient's bits; null: there is none. */
  readonly digest: string | null;
  /** Why the program could not be used; null: it could. */
  readonly refused: string | null;
}

const FIRST = 3;
const RUNS: Record<CheckSize, number> = { gpu: 15, cpu: 5, quick: 2 };
const MEASURE_MS = 1500;

const [backendName = "", size = "", ...models] = process.argv.slice(2) as [string, CheckSize, ...CheckedModelName[]];
if (!isBackendName(backendName)) throw new RangeError(`no backend "${backendName}"`);
const backend = await openBackend(backendName, settings);
for (const model of models) process.stdout.write(`${JSON.stringify(await timed(model))}\n`);
process.exit(0);

async function timed(model: CheckedModelName): Promise<VariantTimes> {
  const refusals: string[] = [];
  try {
    const notice = (line: string): void => void refusals.push(line);
    const gradient = await openGradientOf(backend, checkedModel(size as CheckSize, model), { notice });
    const [firstMs] = measure(gradient.compute, FIRST);
    const times = await timesOf(gradient.compute, { runsMax: RUNS[size as CheckSize], msMax: MEASURE_MS });
    const digest = createHash("sha256");
    for (const tensor of gradient.of(1).tensors) digest.update(tensor);
    gradient.close();
    const refused = refusals[0] ?? null;
    return { model, ms: median(times), firstMs: Math.round(firstMs), digest: digest.digest("hex"), refused };
  } catch (error) {
    return { model, ms: null, firstMs: null, digest: null, refused: messageOf(error).split("\n")[0] };
  }
}
