/** A process that computes micro-batches of one model on one backend, and prints in JSON how much memory it held meanwhile. */
import { memory } from "@tensorflow/tfjs-core";
import { isBackendName } from "../backends/machine/index.js";
import { type ModelCaseName, modelCases, openModel } from "../compute/gradients/model-cases.test.helper.js";
import type { MemoryPoint } from "./memory.js";

const [backend = "", model = "", count = ""] = process.argv.slice(2);
if (!isBackendName(backend)) throw new RangeError(`no backend "${backend}"`);
if (!(model in modelCases)) throw new RangeError(`no model "${model}"`);
if (globalThis.gc === undefined) throw new RangeError("run this program with --expose-gc");

const microBatches = Number(count);
const QUARTERS = 4;
const EVALUATE_EVERY = 20;
const mebibytes = (bytes: number): number => Number((bytes / 2 ** 20).toFixed(1));
const points: MemoryPoint[] = [];
const opened = await openModel(backend, modelCases[model as ModelCaseName]);
for (let n = 1; n <= microBatches; n++) {
  opened.load();
  opened.gradient(n);
  if (n % EVALUATE_EVERY === 0) opened.evaluate();
  // Finalizers of tensors must get a turn of the event loop, as they do in a compute thread between two messages.
  await new Promise((resolve) => setImmediate(resolve));
  if (n % Math.floor(microBatches / QUARTERS) > 0) continue;
  globalThis.gc();
  const { rss, heapUsed } = process.memoryUsage();
  const held = { residentMiB: mebibytes(rss), heapMiB: mebibytes(heapUsed) };
  points.push({ microBatches: n, tensors: memory().numTensors, ...held });
}
opened.dispose();
process.stdout.write(`${JSON.stringify(points)}\n`);
