import type { OfferedChunk } from "../../../server/shard/core/index.js";
import { canonicalNodes } from "../../../shared/sums/index.js";
import type { StepWork, WorkerEvent } from "../../../worker/core/index.js";
import type { Surroundings } from "./process.js";
import type { Slots } from "./slots.js";
import { isNear } from "./theta.js";

/**
 * A worker's pushes. Over a stream each message is sent once the one before is judged, and a break loses the rest. A
 * shard on the worker's machine is notified of all sums at once; it reads them in place and, if it may, when it needs
 * them.
 */
export interface Pushes {
  push(work: StepWork, slots: readonly number[], shard: number, afterMs: number, lend: boolean): void;
  cancel(work: number): void;
  /** Breaks every push, or those to one shard. */
  breakAll(shard?: number): void;
  readonly busy: boolean;
}

/** A shard that does not accept a push within this time is given up; it may be full for good. */
const OVERDUE_MS = 60_000;

interface UnderWay {
  readonly work: StepWork;
  readonly slots: readonly number[];
  readonly shard: number;
  readonly lend: boolean;
  /** Whether the shard may know of it. */
  sent: boolean;
}

export function createPushes({ world, index, stream, later, drawMs, dispatch }: Surroundings, slots: Slots): Pushes {
  const underWay = new Set<UnderWay>();

  function settle(push: UnderWay, event: WorkerEvent): void {
    if (underWay.delete(push)) dispatch(event);
  }

  function answered(push: UnderWay, lent: boolean): void {
    const { work, shard } = push;
    if (world.chance(stream, 0.03)) {
      world.count("duplicated push");
      return failed(push, "its answer was lost", true);
    }
    if (lent) world.count("slots lent");
    settle(push, { kind: "pushed", work: work.id, shard, lent });
  }

  function failed(push: UnderWay, reason: string, broken: boolean): void {
    const { work, shard, sent } = push;
    const failure = { reason, transient: broken };
    // For any request: a shard that has not answered may be about to read the slots.
    settle(push, { kind: "pushFailed", work: work.id, shard, failure, broken, lent: sent });
  }

  /** The parts of the lease for this shard, and where their sums are. */
  function messagesOf({ work, slots: taken, shard }: UnderWay) {
    const { lo, hi, microBatches, term, step } = work.lease;
    const worker = `${index}`;
    return canonicalNodes(lo, hi, microBatches).flatMap((node, i) =>
      world.shards[shard].chunks.map((chunk) => {
        const losses = new Array<number>(node.hi - node.lo).fill(1);
        const offered: OfferedChunk = { ...node, chunk, worker, term, step, losses };
        return { offered, slot: taken[i], read: () => slots.read(taken[i], chunk) };
      }),
    );
  }

  function overStream(push: UnderWay): void {
    const shard = world.shards[push.shard];
    const messages = messagesOf(push);
    const next = (): void => {
      const message = messages.shift();
      if (message === undefined) return answered(push, false);
      later(drawMs(0.1, 15), () => {
        if (!underWay.has(push)) return;
        const sums = message.read();
        shard.offer(
          message.offered,
          () => sums,
          false,
          (verdict) => {
            if (verdict.verdict === "refused") failed(push, verdict.reason, false);
            else next();
          },
        );
      });
    };
    next();
  }

  function inPlace(push: UnderWay): void {
    const shard = world.shards[push.shard];
    push.sent = true;
    later(drawMs(0.1, 5), () => {
      if (!underWay.has(push)) return;
      const messages = messagesOf(push);
      let left = messages.length;
      let lent = false;
      let refused: string | undefined;
      for (const { offered, read } of messages) {
        shard.offer(offered, read, push.lend, (verdict) => {
          if (verdict.verdict === "refused") refused = verdict.reason;
          if (verdict.verdict === "accepted") lent = push.lend;
          left -= 1;
          if (left > 0) return;
          later(drawMs(0.1, 5), () => (refused === undefined ? answered(push, lent) : failed(push, refused, false)));
        });
      }
    });
  }

  function start(push: UnderWay): void {
    if (!underWay.has(push)) return;
    if (!world.shards[push.shard].up) return lose(push);
    later(OVERDUE_MS, () => underWay.has(push) && lose(push));
    if (isNear(world, index, push.shard)) inPlace(push);
    else overStream(push);
  }

  function lose(push: UnderWay): void {
    world.count("push lost");
    failed(push, "the push broke", true);
  }

  return {
    push(work, taken, shard, afterMs, lend) {
      const push: UnderWay = { work, slots: taken, shard, lend: lend && isNear(world, index, shard), sent: false };
      underWay.add(push);
      later(afterMs + drawMs(0.1, 2), () => start(push));
    },
    cancel(work) {
      for (const push of underWay) {
        if (push.work.id === work) later(drawMs(0.1, 5), () => failed(push, "the push was cancelled", false));
      }
    },
    breakAll(shard) {
      for (const push of underWay) {
        if (shard === undefined || push.shard === shard) later(drawMs(0.1, 20), () => underWay.has(push) && lose(push));
      }
    },
    get busy() {
      return underWay.size > 0;
    },
  };
}
