/** Pushes, as the core wants them: each to one shard, and its answer. */
import { IsobatchError } from "../shared/errors.js";
import type { ComputedLease, WorkerMemory } from "./compute/index.js";
import type { StepWork, WorkerEvent } from "./core/index.js";
import { failureOf } from "./failure.js";
import { pause } from "./pause.js";
import { pushToShard } from "./push.js";
import type { ShardLink } from "./shard-link.js";

export interface PushesOptions {
  readonly workerId: string;
  /** JoinResponse's. */
  readonly seal: Uint8Array;
  readonly links: readonly ShardLink[];
  readonly memory: WorkerMemory;
  /** Computed leases, by their work. */
  readonly results: ReadonlyMap<number, ComputedLease>;
  dispatch(event: WorkerEvent): void;
}

export interface Pushes {
  push(work: StepWork, shard: number, afterMs: number): void;
  /** Gives up every push of this work. */
  cancel(work: number): void;
  /** The same with all; resolves when no sums are read any more. */
  close(): Promise<void>;
}

export function createPushes({ workerId, seal, links, memory, results, dispatch }: PushesOptions): Pushes {
  const underWay = new Map<Promise<void>, { readonly work: number; readonly stop: AbortController }>();

  const push = async (work: StepWork, shard: number, afterMs: number, signal: AbortSignal): Promise<void> => {
    if (afterMs > 0) await pause(afterMs, signal);
    const computed = results.get(work.id)!;
    try {
      await pushToShard({ workerId, seal, lease: work.lease, computed, memory }, links[shard], signal);
    } catch (error) {
      const broken = error instanceof IsobatchError && error.code === "unavailable";
      const failure = failureOf(error);
      return dispatch({ kind: "pushFailed", work: work.id, shard, failure, broken, lent: false });
    }
    dispatch({ kind: "pushed", work: work.id, shard, lent: false });
  };

  const cancel = (wanted: (work: number) => boolean): void => {
    for (const { work, stop } of underWay.values()) if (wanted(work)) stop.abort();
  };

  return {
    push(work, shard, afterMs) {
      const stop = new AbortController();
      const pushed = push(work, shard, afterMs, stop.signal).finally(() => underWay.delete(pushed));
      underWay.set(pushed, { work: work.id, stop });
    },
    cancel: (work) => cancel((each) => each === work),
    async close() {
      cancel(() => true);
      while (underWay.size > 0) await Promise.all(underWay.keys());
    },
  };
}
