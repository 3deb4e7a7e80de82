import type { CoreHost } from "../../shared/core-host.js";
import { messageOf } from "../../shared/errors.js";
import { began, span } from "../../shared/trace/index.js";
import type { SumsSource } from "./arithmetic/source.js";
import type { OfferedChunk, ShardCore, ShardEvent } from "./core/index.js";
import { type ShardWork, workOf } from "./effects.js";
import { rejection } from "./traffic.js";

/**
 * The way of pushed sums into the core: a chunk is judged by its numbers, and only once it is wanted are its sums
 * fetched and checked. One that is dropped, refused or has to wait is neither copied nor read.
 */
export interface Admission {
  /**
   * Offers a chunk until the answer is final.
   * @param fetch brings the sums to where they can be computed with, and returns where that is; throws if they are not
   *   what they should be. Called at most once, just before the chunk is admitted.
   * @throws {IsobatchError} `refused`, what `fetch` throws, or why the shard has failed
   */
  offer(offered: OfferedChunk, fetch: () => SumsSource, gone: AbortSignal): Promise<"accepted" | "dropped">;
  /** Something has changed: what waits is judged again. */
  wake(): void;
}

export function createAdmission(core: ShardCore, host: CoreHost<ShardEvent, ShardWork>): Admission {
  const waiting: (() => void)[] = [];

  function wake(): void {
    for (const wake of waiting.splice(0)) wake();
  }

  const change = (gone: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => reject(gone.reason);
      gone.addEventListener("abort", leave, { once: true });
      waiting.push(() => {
        gone.removeEventListener("abort", leave);
        resolve();
      });
    });

  return {
    async offer(offered, fetch, gone) {
      for (;;) {
        if (host.failure !== undefined) {
          const why = messageOf(host.failure.error);
          throw rejection("shard_failed", `The push is refused: the shard can't go on: ${why}`);
        }
        const begun = began();
        const verdict = core.judge(offered);
        span("judged", begun, offered.step, offered.chunk, offered.lo, offered.hi);
        switch (verdict.verdict) {
          case "refused":
            throw rejection(verdict.rejection, `The push is refused: ${verdict.reason}.`);
          case "dropped":
            return "dropped";
          case "accepted": {
            const source = fetch();
            host.ask(() => ({
              answer: undefined,
              effects: workOf(core.admit(offered, [offered.chunk]), () => source),
            }));
            wake();
            return "accepted";
          }
          case "wait":
            await change(gone);
        }
      }
    },
    wake,
  };
}
