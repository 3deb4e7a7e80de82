import { isNode } from "../../../shared/sums/index.js";
import type { ShardCoreState } from "./core.js";
import type { ChunkVerdict, CoreRejection, OfferedChunk } from "./messages.js";
import type { OpenStep } from "./open-step.js";
import { holds, lowestUncovered } from "./staging.js";

/**
 * Whether an offered chunk is wanted, from its numbers only: nothing changes, and its sums need not be read, or even
 * have arrived.
 * @param slotsFree how many more chunks may be staged
 */
export function judge(
  state: Readonly<ShardCoreState>,
  step: OpenStep,
  slotsFree: number,
  offered: OfferedChunk,
): ChunkVerdict {
  const refuse = (rejection: CoreRejection, reason: string): ChunkVerdict => ({
    verdict: "refused",
    rejection,
    reason,
  });
  if (offered.term < state.term) {
    return refuse("term", `term ${offered.term} is over, the run is in ${state.term}`);
  }
  if (offered.term > state.term || state.phase !== "serving") return WAIT;
  if (offered.step < state.step) return DROPPED;
  if (offered.step > state.step + 1) {
    return refuse("step", `step ${offered.step} is not open, step ${state.step} is`);
  }
  const { plan } = step;
  if (offered.step > state.step || plan === undefined) return WAIT;

  const leaves = plan.microBatches;
  const chunk = step.chunks.get(offered.chunk);
  if (chunk === undefined) return refuse("chunk", `chunk ${offered.chunk} is not one of this shard's`);
  if (!isNode(offered.lo, offered.hi, leaves)) {
    return refuse("node", `[${offered.lo}, ${offered.hi}) is not a node of a step of ${leaves} micro-batches`);
  }
  if (offered.losses.length !== offered.hi - offered.lo) {
    return refuse("losses", `${offered.losses.length} losses came with ${offered.hi - offered.lo} micro-batches`);
  }
  if (chunk.applied || holds(chunk, offered)) return DROPPED;
  if (slotsFree > 0) return ACCEPTED;
  // A node with the chunk's lowest uncovered leaf is always admitted, or a step could wait for itself.
  const lowest = lowestUncovered(chunk, leaves);
  return offered.lo <= lowest && lowest < offered.hi ? ACCEPTED : WAIT;
}

const ACCEPTED: ChunkVerdict = { verdict: "accepted" };
const DROPPED: ChunkVerdict = { verdict: "dropped" };
const WAIT: ChunkVerdict = { verdict: "wait" };
