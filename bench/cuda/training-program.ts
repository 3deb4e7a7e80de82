/**
 * A process that trains a task of `training-tasks.ts` on one backend and prints the result in JSON. Another process computes the
 * same bits only if nothing depends on the process.
 */

import { isBackendName } from "../../backends/machine/index.js";
import { trainInProcess } from "../../experiment/index.js";
import { resolveTask } from "../../tasks/index.js";
import type { CheckSize } from "./report.js";
import { type CheckedModel, checkTask } from "./training-tasks.js";

export interface TrainingReport {
  readonly stateHash: string;
  readonly losses: readonly number[];
  /** The speed without the first tenth of the steps, in which libraries warm up. */
  readonly samplesPerSecond: number;
}

const [backend = "", size = "", model = "", steps] = process.argv.slice(2);
if (!isBackendName(backend)) throw new RangeError(`no backend "${backend}"`);
const task = resolveTask("check", checkTask(size as CheckSize, model as CheckedModel));
const times: number[] = [];
const { stateHash, losses } = await trainInProcess(task, {
  ...{ backend, evaluate: false, steps: steps === undefined ? undefined : Number(steps) },
  onStep: ({ computeMs }) => void times.push(computeMs),
});
const warm = times.slice(Math.ceil(times.length / 10));
const seconds = warm.reduce((sum, ms) => sum + ms, 0) / 1000;
const samplesPerSecond = warm.length === 0 ? 0 : Math.round((warm.length * task.microBatchSize) / seconds);
process.stdout.write(`${JSON.stringify({ stateHash, losses, samplesPerSecond } satisfies TrainingReport)}\n`);
