/** Pushes, as the core requests them: each to one shard, with its answer. */

import type { ComputedLease, WorkerMemory } from "../compute/index.js";
import { IsobatchError } from "../shared/errors.js";
import { createProgressTimer, type NearAnswer } from "../shared/wire/index.js";
import type { StepWork, WorkerEvent } from "./core/index.js";
import { failureOf } from "./failure.js";
import type { Near, NearSession } from "./near/index.js";
import { pause } from "./pause.js";
import { type PushRequest, pushToShard } from "./push.js";
import { createPushCalls, STALL_MS } from "./push-calls.js";
import type { ShardLink } from "./shard-link.js";
import type { WireForms } from "./wire-forms.js";

export interface PushesOptions {
  readonly workerId: string;
  /** The seal of the answer to Join. */
  readonly seal: Uint8Array;
  readonly links: readonly ShardLink[];
  readonly memory: WorkerMemory;
  readonly near: Pick<Near, "session">;
  readonly forms: WireForms;
  /** Computed leases by the id of their work. */
  readonly results: ReadonlyMap<number, ComputedLease>;
  dispatch(event: WorkerEvent): void;
}

export interface Pushes {
  /** Computing a lease starts, so that there will be a push. */
  expect(): void;
  /** @param lend whether the shard may keep reading the slots after its answer */
  push(work: StepWork, shard: number, afterMs: number, lend: boolean): void;
  /** Gives up every push of this work. */
  cancel(work: number): void;
  /** Gives up all pushes; resolves when no sums are read any more. */
  close(): Promise<void>;
}

export function createPushes({ workerId, seal, links, memory, forms, near, results, dispatch }: PushesOptions): Pushes {
  const calls = links.map(createPushCalls);
  const underWay = new Map<Promise<void>, { readonly work: number; readonly stop: AbortController }>();

  const push = async (
    work: StepWork,
    shard: number,
    afterMs: number,
    lend: boolean,
    signal: AbortSignal,
  ): Promise<void> => {
    if (afterMs > 0) await pause(afterMs, signal);
    const computed = results.get(work.id)!;
    const what = { workerId, seal, lease: work.lease, computed, memory, forms };
    const session = near.session(shard);
    // A shard that has not answered may still read the slots, regardless of the request, and one that refuses a part of
    // the
    // push may read what it was lent.
    let lent = false;
    try {
      if (session?.canPush(what)) {
        lent = true;
        const answer = await answerOf(session, what, lend);
        lent = answer.lent;
        if (answer.refused !== "") throw new IsobatchError("refused", answer.refused);
      } else await pushToShard(what, links[shard], calls[shard], signal);
    } catch (error) {
      const broken = error instanceof IsobatchError && error.code === "unavailable";
      const failure = failureOf(error);
      return dispatch({ kind: "pushFailed", work: work.id, shard, failure, broken, lent });
    }
    dispatch({ kind: "pushed", work: work.id, shard, lent });
  };

  const cancel = (wanted: (work: number) => boolean): void => {
    for (const { work, stop } of underWay.values()) if (wanted(work)) stop.abort();
  };

  return {
    expect() {
      for (const [shard, each] of calls.entries()) if (near.session(shard) === undefined) each.openNext();
    },
    push(work, shard, afterMs, lend) {
      const stop = new AbortController();
      const pushed = push(work, shard, afterMs, lend, stop.signal).finally(() => underWay.delete(pushed));
      underWay.set(pushed, { work: work.id, stop });
    },
    cancel: (work) => cancel((each) => each === work),
    async close() {
      cancel(() => true);
      for (const each of calls) each.close();
      while (underWay.size > 0) await Promise.all(underWay.keys());
    },
  };
}

/** The shard's answer; if it takes too long the session ends, as a push over the wire would. */
async function answerOf(session: NearSession, push: PushRequest, lend: boolean): Promise<NearAnswer> {
  const overdue = createProgressTimer(STALL_MS, () => void session.close());
  overdue.wait();
  try {
    return await session.push(push, lend);
  } finally {
    overdue.close();
  }
}
