import { IsobatchError } from "../shared/errors.js";
import type { PreparedTask } from "../tasks/index.js";
import { createCheckpointStore, parametersIn } from "./checkpoint/index.js";
import type { RunDirectory } from "./record/index.js";

/** Writes checkpoint 0 of a new run: its start is then the same as a resume. */
export async function writeFirstCheckpoint(
  { built }: PreparedTask,
  directory: RunDirectory,
  hash: string,
): Promise<void> {
  const { layout, initialWeights } = built;
  const slice = { firstElement: 0, endElement: layout.length };
  const { runId } = directory.identity;
  const store = createCheckpointStore({ folder: directory.checkpointsFolder, layout, slice, runId, taskHash: hash });
  if (store.list(slice).length > 0) return;
  if (directory.identity.term > 0) {
    throw new IsobatchError(
      "damaged",
      `${directory.checkpointsFolder} has lost all checkpoints of this run; restore them, or start again with another --out.`,
    );
  }
  const zeros = (): Float32Array => new Float32Array(parametersIn(layout, slice));
  const state = { theta: initialWeights, m: zeros(), v: zeros() };
  await store.write(state, { step: 0, microBatches: 0, c1: 0, c2: 0 });
}
