/**
 * A process that computes gradients with a checkout's own code, for `scenario.ts`. Its arguments are the checkout's root, a backend
 * and a model. For each number that it is sent it computes that many gradients, and answers with their times in ms.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BackendName } from "../../backends/machine/index.js";
import { measure } from "../gradients.js";
import type { MeasuredModel, MeasuredModelName, measuredModels } from "../models.js";
import type { WorkerGradient } from "../worker-gradient.js";
import type { PairedModel } from "./scenario.js";

const [root, backend, model] = process.argv.slice(2) as [string, BackendName, PairedModel];

type Models = { measuredModels: typeof measuredModels };
type Opening = { openWorkerGradient(backend: BackendName, name: MeasuredModelName): Promise<WorkerGradient> };
/** Loads a file of the checkout's benchmark; both files have had these names and exports since gradients were first measured. */
const load = (file: string): Promise<unknown> => import(pathToFileURL(join(root, "dist", "bench", file)).href);
const models = ((await load("models.js")) as Models).measuredModels;
const { openWorkerGradient } = (await load("worker-gradient.js")) as Opening;

const { resnet18, gpt } = models;
const small: Record<Extract<PairedModel, `${string}-small`>, MeasuredModel> = {
  "resnet18-small": { ...resnet18, model: { ...resnet18.model, width: 16 }, batch: 8 },
  "gpt-small": { ...gpt, model: { ...gpt.model, layers: 2, width: 64 }, batch: 4 },
};
Object.assign(models, small);

const gradient = await openWorkerGradient(backend, model as MeasuredModelName);
process.on("message", (count: number) => process.send!(measure(gradient.compute, count)));
process.on("disconnect", () => process.exit(0));
process.send!("ready");
