import { rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolderDurably, removeLeftover, syncFolder } from "../../shared/durable-file.js";
import { failAt } from "../../shared/fail-point.js";
import type { ElementRange, Layout } from "../../shared/layout/index.js";
import { systemError } from "../../shared/system-errors.js";
import {
  type CheckpointLabel,
  type CheckpointMeta,
  encodeUnsealedHeader,
  layoutHash,
  parametersIn,
  type SliceState,
  sealHeader,
} from "./checkpoint-file.js";
import { filePath, listSteps, stepFolder, stepsIn, temporaryPath } from "./files.js";
import { loadRange } from "./load.js";

/**
 * A run's checkpoints on disk: `checkpoints/step-000000123/elements-<first>-<end>.safetensors`, one file per shard and
 * step. The number of shards may change between two starts: any range of elements is assembled from the files of a step
 * that cover it.
 *
 * A file appears complete or not at all: temporary name, data, header, fsync, rename, fsync of the folder. So a file
 * with its final name is on disk, and a write that is interrupted by a full disk or a kill never affects an older
 * checkpoint.
 */
export interface CheckpointStore {
  /**
   * Writes the slice's state in the background; resolves when it will survive a power failure. `state` must not change
   * until then: pass a snapshot, which is not copied again. One write at a time.
   * @throws {IsobatchError} `exhausted` when the disk is full; the attempt leaves nothing behind
   */
  write(
    state: SliceState,
    meta: Pick<CheckpointMeta, "step" | "microBatches" | "c1" | "c2" | "noise">,
  ): Promise<WrittenFile>;
  /**
   * The steps whose files cover all of `range` (by default the store's slice), ascending; the files are not yet
   * verified.
   */
  list(range?: ElementRange): number[];
  /**
   * Fills `into` with `range` of a step, verifying every file it needs. After an error the contents of `into` are
   * undefined.
   * @param into arrays with the lengths of `range`; a slice that is stored in several memories is loaded range by range
   * @param range by default the store's slice
   * @throws {IsobatchError} `damaged` naming the file and what is wrong; `refused` for a file of another run or task
   */
  load(step: number, into: SliceState, range?: ElementRange): CheckpointMeta;
  /**
   * Removes all steps older than the newest of `steps` except those in `steps`. Newer ones may still be being written.
   */
  keep(steps: readonly number[]): void;
  /**
   * Removes all steps after `step`: for a shard that has rolled back to `step`, before it reports that, so that no
   * slice of the abandoned history is combined with one of the new history.
   */
  dropNewerThan(step: number): void;
}

export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
}

export interface CheckpointStoreOptions {
  /** The run's `checkpoints` folder; made if missing. */
  readonly folder: string;
  readonly layout: Layout;
  /** The slice that this store writes. */
  readonly slice: ElementRange;
  readonly runId: string;
  readonly taskHash: string;
  /** ISO 8601, for people. */
  readonly now?: () => string;
}

/** Bytes hashed and written at a time: short enough not to hold up the shard's other work. */
const PIECE_BYTES = 1 << 20;

export function createCheckpointStore(options: CheckpointStoreOptions): CheckpointStore {
  const { folder, layout, slice, runId, taskHash } = options;
  const now = options.now ?? (() => new Date().toISOString());
  const expected = { runId, taskHash, layoutHash: layoutHash(layout) };
  makeFolderDurably(folder);
  for (const step of stepsIn(folder)) removeLeftover(temporaryPath(folder, step, slice));
  // An unreadable entry is reported now, and not only when it causes a failure.
  listSteps(folder, slice);

  return {
    async write(state, meta) {
      checkLengths(layout, slice, state);
      const label: CheckpointLabel = { ...meta, ...slice, ...expected, writtenAt: now() };
      const path = filePath(folder, meta.step, slice);
      try {
        makeFolderDurably(stepFolder(folder, meta.step));
        return {
          path,
          bytes: await writeAtomically(path, temporaryPath(folder, meta.step, slice), layout, state, label),
        };
      } catch (error) {
        removeLeftover(temporaryPath(folder, meta.step, slice));
        throw systemError(error, `write the checkpoint ${path}`);
      }
    },
    list(range = slice) {
      return listSteps(folder, range);
    },
    load(step, into, range = slice) {
      checkLengths(layout, range, into);
      return loadRange({ folder, step, range, layout, expected, into });
    },
    keep(steps) {
      const newest = Math.max(...steps);
      for (const step of stepsIn(folder)) if (step < newest && !steps.includes(step)) removeStep(folder, step);
    },
    dropNewerThan(step) {
      for (const newer of stepsIn(folder)) if (newer > step) removeStep(folder, newer);
    },
  };
}

async function writeAtomically(
  path: string,
  temporary: string,
  layout: Layout,
  state: SliceState,
  label: CheckpointLabel,
): Promise<number> {
  const header = encodeUnsealedHeader(layout, label);
  let position = header.bytes.length;
  removeLeftover(temporary);
  const file = await open(temporary, "wx");
  const writeAt = async (bytes: Uint8Array, at: number) => {
    // A write to a nearly full disk may be partial; the next one then fails with the reason.
    for (let done = 0; done < bytes.length; ) {
      done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
    }
  };
  try {
    for (const values of [state.theta, state.m, state.v]) {
      for (let from = 0; from < values.byteLength; from += PIECE_BYTES) {
        const length = Math.min(PIECE_BYTES, values.byteLength - from);
        const piece = Buffer.from(values.buffer, values.byteOffset + from, length);
        header.hash.update(piece);
        await writeAt(piece, position);
        position += length;
      }
    }
    failAt("checkpoint.write");
    // The header is written last, because it holds the checksum: until now the file starts with zeros and is not valid.
    sealHeader(header);
    await writeAt(header.bytes, 0);
    failAt("checkpoint.fsync");
    await file.sync();
  } finally {
    await file.close();
  }
  failAt("checkpoint.rename");
  await rename(temporary, path);
  syncFolder(dirname(path));
  failAt("checkpoint.done");
  return position;
}

function checkLengths(layout: Layout, range: ElementRange, state: SliceState): void {
  const elements = range.endElement - range.firstElement;
  const parameters = parametersIn(layout, range);
  if (state.theta.length !== elements || state.m.length !== parameters || state.v.length !== parameters) {
    const found = `${state.theta.length}, ${state.m.length}, ${state.v.length}`;
    throw new RangeError(`theta, m, v have ${found} elements, not ${elements}, ${parameters}, ${parameters}`);
  }
}

function removeStep(folder: string, step: number): void {
  // Several shards of one folder may be removing it at once; if it is already gone, that is fine.
  rmSync(stepFolder(folder, step), { recursive: true, force: true });
}
