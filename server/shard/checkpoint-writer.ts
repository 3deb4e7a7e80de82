import { rmSync } from "node:fs";
import { messageOf } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import type { CheckpointMark } from "../../shared/steps/index.js";
import type { CheckpointStore, SliceState } from "../checkpoint/index.js";

/** Writes a shard's checkpoints in the background, one at a time. */
export interface CheckpointWriter {
  /** @param term the term in which the checkpoint was ordered */
  write(state: SliceState, mark: CheckpointMark, term: number): void;
}

export interface CheckpointWriterOptions {
  readonly store: Pick<CheckpointStore, "write">;
  readonly log: Logger;
  /** The run's present term. */
  term(): number;
  /** Called when the checkpoint of this step has been written, or with the error if it was not. */
  onWritten(step: number, error?: string): void;
}

/**
 * If the run has rolled back while a checkpoint was being written, the checkpoint is discarded: its step belongs to an
 * abandoned history, and `load` may have removed its files during the write.
 */
export function createCheckpointWriter({ store, log, term, onWritten }: CheckpointWriterOptions): CheckpointWriter {
  /** The present or last write of a checkpoint. */
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
