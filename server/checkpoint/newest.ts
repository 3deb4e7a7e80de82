import { join } from "node:path";
import { IsobatchError } from "../../shared/errors.js";
import { RUN_FILES, type RunContents, readRunDirectory } from "../record/index.js";
import { type CheckpointMeta, layoutHash, parametersIn, type SliceState } from "./checkpoint-file.js";
import { listSteps } from "./files.js";
import { loadRange } from "./load.js";

/** A run's complete weights and averages, with everything that is needed to make a model from them. */
export interface NewestCheckpoint extends RunContents {
  readonly meta: CheckpointMeta;
  /** The state of the whole flat vector. */
  readonly state: SliceState;
  /** Why newer checkpoints were not used, one sentence each, to be shown with the result. */
  readonly skipped: readonly string[];
}

/**
 * Reads the newest sound checkpoint of a run; needs neither the task's code nor the run's lock.
 * @throws {IsobatchError} if the folder is not a run directory, or none of its checkpoints is sound
 */
export function readNewestCheckpoint(runFolder: string): NewestCheckpoint {
  const contents = readRunDirectory(runFolder);
  const { layout, identity } = contents;
  const folder = join(runFolder, RUN_FILES.checkpoints);
  const range = { firstElement: 0, endElement: layout.length };
  const expected = { runId: identity.runId, taskHash: identity.taskHash, layoutHash: layoutHash(layout) };
  const parameters = parametersIn(layout, range);
  const skipped: string[] = [];
  for (const step of listSteps(folder, range).reverse()) {
    const into = {
      theta: new Float32Array(layout.length),
      m: new Float32Array(parameters),
      v: new Float32Array(parameters),
    };
    try {
      const meta = loadRange({ folder, step, range, layout, expected, into });
      return { ...contents, meta, state: into, skipped };
    } catch (error) {
      if (!(error instanceof IsobatchError)) throw error;
      skipped.push(error.message);
    }
  }
  if (skipped.length === 0) {
    throw new IsobatchError(
      "invalid_input",
      `${runFolder} has no checkpoint yet; let the run continue until it writes one.`,
    );
  }
  throw new IsobatchError("damaged", `${runFolder} has no checkpoint that can be used. ${skipped.join(" ")}`);
}
