/** Trains runs of an experiment, one at a time, as the messages say that follow the first. */
import { isBackendName, readBackendSettings, showOnly } from "../../backends/machine/index.js";
import { createPerformer } from "../../experiment/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { nextMessage } from "../children/parent.js";
import type { RunOrder, RunReport } from "../experiment/runners.js";
import type { Settings } from "../types/run.js";
import type { ExperimentOrder } from "./orders.js";

/** A report each time costs more than a micro-batch of a small model. */
const REPORT_EVERY_MS = 250;

/** Never resolves: the parent ends this process when there is nothing left to train. */
export async function trainRuns({ backend, visibleDevices }: ExperimentOrder, settings: Settings): Promise<number> {
  if (!isBackendName(backend)) throw new RangeError(`backend ${backend}`);
  if (visibleDevices !== undefined) showOnly(visibleDevices);
  const performer = createPerformer(backend, readBackendSettings(settings));
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
  for (;;) await perform((await nextMessage()) as RunOrder);
}
