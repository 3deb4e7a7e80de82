/**
 * Whole runs of a cluster on one device: each task runs twice with one worker, and once with two that share the device. All three
 * must end in the same `stateHash`.
 */
import { join } from "node:path";
import { type ClusterRow, runCluster } from "../cluster/run.js";
import { clusterTasksOf, extentOf, writeTask } from "../cluster/tasks.js";
import type { CheckPart } from "../report.js";

/** The number of workers in each run. */
const RUNS = [1, 1, 2];
/** No run is started when less time is left. */
const LEAST_MS = 3000;
const RUN_MS_MAX = 60_000;

export const part: CheckPart<ClusterRow> = async (context, say) => {
  const { on, size, folder, endsAt } = context;
  if (on === "cpu") say.absent("How busy the GPU is can't be known, because the runs compute on the processor.");
  for (const task of clusterTasksOf(size)) {
    const { batch, microBatches, steps } = extentOf(size, task);
    const taskFile = writeTask(folder, size, task);
    const hashes = new Set<string>();
    for (const [run, workers] of RUNS.entries()) {
      const limitMs = Math.min(RUN_MS_MAX, endsAt - Date.now() - 1000);
      const inWords = `${task} with ${workers === 1 ? "one worker" : `${workers} workers`}`;
      if (limitMs < LEAST_MS) {
        say.fail(`${inWords} was not run: no time was left.`);
        continue;
      }
      const out = join(folder, `${task}-${run}`);
      const found = await runCluster(context, { taskFile, out, workers, steps, limitMs });
      if ("problem" in found) {
        say.fail(`${inWords} ${found.problem}.`);
        break;
      }
      hashes.add(found.stateHash);
      say.row({ task, batch, microBatches, ...found });
      if (found.refused !== null) say.fail(`${inWords}: the model's gradient is ${found.refused}.`);
      if (on === "gpu" && found.busy === null) say.absent(`nvidia-smi has said nothing during ${inWords}.`);
    }
    if (hashes.size > 1) say.fail(`${task} has come to ${hashes.size} different states.`);
  }
};
