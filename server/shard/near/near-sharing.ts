import type { ChunkRange, Layout } from "../../../shared/layout/index.js";
import type { Logger } from "../../../shared/log.js";
import { asNearError, NoRoomError } from "../../../shared/near/index.js";
import type { SegmentMemory } from "../slice.js";
import type { NearFolder } from "./near-folder.js";
import type { NearSlots } from "./near-slots.js";
import { type NearWeights, shareWeights } from "./near-weights.js";

/** The memory that a shard shares with workers on its machine: its weights, and the slots that they have lent it. */
export interface NearSharing {
  readonly near: NearFolder;
  readonly weights: NearWeights;
  /** The slots of all workers, including those that have left and lent some. */
  readonly open: Set<NearSlots>;
  /** Notifies that no lent slot is read any more. */
  returned(): void;
  close(): void;
}

/** @returns undefined if sharing is off or there is no room for it, with the reason in the log. */
export function createNearSharing(options: {
  readonly near: NearFolder | undefined;
  readonly layout: Layout;
  readonly range: ChunkRange;
  readonly memories: readonly SegmentMemory[];
  readonly log: Logger;
}): NearSharing | undefined {
  const { near, layout, range, memories, log } = options;
  if (near === undefined) return undefined;
  let weights: NearWeights;
  try {
    weights = shareWeights(near, layout, range, memories);
  } catch (error) {
    const why = asNearError(error);
    if (why === undefined) throw error;
    log[why instanceof NoRoomError ? "warn" : "info"](
      `No memory is shared with workers on this machine: ${why.message}.`,
    );
    near.close();
    return undefined;
  }
  const open = new Set<NearSlots>();
  return {
    near,
    weights,
    open,
    returned() {
      for (const slots of open) if (slots.returned()) open.delete(slots);
    },
    close() {
      weights.close();
      near.close();
    },
  };
}
