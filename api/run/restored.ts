import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RUN_FILES, type RunningServer, type Summary } from "../../server/index.js";
import { readRegularFile } from "../../shared/regular-file.js";
import type { TrainingResult } from "../types/run.js";

const POLL_MS = 20;

/** Resolves when the server has loaded a checkpoint, so that its status says at which step the run resumes. */
export async function afterRestore(server: Pick<RunningServer, "status">): Promise<void> {
  while (["gathering", "restoring"].includes(server.status().phase)) await sleep(POLL_MS);
}

/** What came of a run that is at the end of its task; undefined if there is something left to train. */
export function outcomeBefore({ task, status }: RunningServer, out: string): TrainingResult | undefined {
  const summary = readSummary(out);
  // A run whose last evaluation failed has all its steps, and is not done.
  const ended = summary !== undefined && summary.samples >= task.samples && summary.steps === status().step;
  return ended && summary.failure == null ? { outcome: "already complete", summary } : undefined;
}

/** What came of the run when it last ended; undefined if it never did. */
function readSummary(out: string): Summary | undefined {
  try {
    const text = readRegularFile(join(out, RUN_FILES.summary));
    return text === undefined ? undefined : (JSON.parse(text) as Summary);
  } catch {
    // It is written again at the end of the run; only its being there is of use here.
    return undefined;
  }
}
