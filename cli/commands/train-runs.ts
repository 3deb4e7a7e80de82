/** A process that trains runs of an experiment, one after the other, as the process tells it that started it. */

import { isBackendName } from "../../backends/index.js";
import { createPerformer } from "../../experiment/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { followParent } from "../children/parent.js";
import type { Environment } from "../environment.js";
import type { RunOrder, RunReport } from "../experiment/runners.js";

/** A report each time costs more than a micro-batch of a small model. */
const REPORT_EVERY_MS = 250;

export async function trainRuns(
  { backend }: { readonly backend: string },
  { backendSettings }: Environment,
): Promise<void> {
  if (!isBackendName(backend)) throw new RangeError(`backend ${backend}`);
  followParent();
  const performer = createPerformer(backend, backendSettings);
  const report = (message: RunReport): void => void process.send!(message);

  const perform = async ({ run }: RunOrder): Promise<void> => {
    let reportedAt = performance.now();
    try {
      const result = await performer.perform(run, (microBatches) => {
        if (performance.now() - reportedAt < REPORT_EVERY_MS) return;
        reportedAt = performance.now();
        report({ microBatches });
      });
      report({ result });
    } catch (error) {
      if (!(error instanceof IsobatchError)) throw error;
      report({ failed: error.message });
    }
  };
  process.on("message", (order: RunOrder) => void perform(order));
  // followParent lets go of the channel, but this process lives for what comes through it.
  process.channel!.ref();
  await new Promise<never>(() => {});
}
