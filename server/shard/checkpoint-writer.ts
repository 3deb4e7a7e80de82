import { rmSync } from "node:fs";
import { messageOf } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import type { CheckpointMark } from "../../shared/steps/index.js";
import type { CheckpointStore, SliceState } from "../checkpoint/index.js";

/** Writes a shard's checkpoints in the background, one after the other. */
export interface CheckpointWriter {
  /** @param term in which the checkpoint was ordered */
  write(state: SliceState, mark: CheckpointMark, term: number): void;
}

export interface CheckpointWriterOptions {
  readonly store: Pick<CheckpointStore, "write">;
  readonly log: Logger;
  /** The run's, now. */
  term(): number;
  /** The checkpoint of this step is written, or is not, for that reason. */
  onWritten(step: number, error?: string): void;
}

/**
 * When the run has gone back while a checkpoint was written, nobody asks for it any more: its step is of an abandoned
 * history, and `load` may have removed it in the middle of the writing.
 */
export function createCheckpointWriter({ store, log, term, onWritten }: CheckpointWriterOptions): CheckpointWriter {
  /** The checkpoint being written, or the last one that was. */
  let writing = Promise.resolve();

  async function write(state: SliceState, mark: CheckpointMark, ordered: number, before: Promise<void>): Promise<void> {
    await before;
    const abandoned = (): boolean => term() !== ordered;
    if (abandoned()) return;
    try {
      const { path } = await store.write(state, mark);
      if (abandoned()) rmSync(path, { force: true });
      else onWritten(mark.step);
    } catch (error) {
      if (abandoned()) return;
      log.error({ step: mark.step, error: messageOf(error) }, "the checkpoint was not written");
      onWritten(mark.step, messageOf(error));
    }
  }

  return {
    write(state, mark, ordered) {
      writing = write(state, mark, ordered, writing);
    },
  };
}
