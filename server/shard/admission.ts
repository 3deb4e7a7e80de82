import type { CoreHost } from "../../shared/core-host.js";
import { messageOf } from "../../shared/errors.js";
import { began, span } from "../../shared/trace/index.js";
import type { SumsSource } from "./arithmetic/source.js";
import type { OfferedNode, ShardCore, ShardEvent } from "./core/index.js";
import { type ShardWork, workOf } from "./effects.js";
import { rejection } from "./traffic.js";

/**
 * How pushed sums get into the core: a chunk is judged by its numbers, and its sums are fetched and checked only once
 * it is wanted. A chunk that is dropped, refused or has to wait is neither copied nor read.
 */
export interface ChunkAdmission {
  /**
   * Offers chunks of a node until the verdict on each is final; those that are wanted at the same time are admitted
   * together.
   * @param fetch brings a chunk's sums to where they can be used in arithmetic, and returns that place; throws if they
   * are not valid. Called at most once per chunk, just before it is admitted.
   * @returns how many of them were accepted, and how many dropped
   * @throws {IsobatchError} `refused`, what `fetch` throws, or why the shard has failed
   */
  offer(
    node: OfferedNode,
    chunks: readonly number[],
    fetch: (chunk: number) => SumsSource,
    gone: AbortSignal,
  ): Promise<{ accepted: number; dropped: number }>;
  /** Something has changed: waiting chunks are judged again. */
  wake(): void;
}

export function createAdmission(core: ShardCore, host: CoreHost<ShardEvent, ShardWork>): ChunkAdmission {
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

  /** Removes the settled chunks from `left`. @returns the chunks to admit, and how many are dropped. */
  function judgeAll(node: OfferedNode, left: Set<number>): { wanted: number[]; dropped: number } {
    const wanted: number[] = [];
    let dropped = 0;
    for (const chunk of left) {
      const begun = began();
      const verdict = core.judge({ ...node, chunk }, wanted.length);
      span("judged", begun, node.step, chunk, node.lo, node.hi);
      if (verdict.verdict === "wait") continue;
      if (verdict.verdict === "refused") {
        throw rejection(verdict.rejection, `The push is refused: ${verdict.reason}.`);
      }
      left.delete(chunk);
      if (verdict.verdict === "accepted") wanted.push(chunk);
      else dropped += 1;
    }
    return { wanted, dropped };
  }

  const offer: ChunkAdmission["offer"] = async (node, chunks, fetch, gone) => {
    const left = new Set(chunks);
    const result = { accepted: 0, dropped: 0 };
    for (;;) {
      if (gone.aborted) throw gone.reason;
      if (host.failure !== undefined) {
        const why = messageOf(host.failure.error);
        throw rejection("shard_failed", `The push is refused: the shard has failed: ${why}`);
      }
      const { wanted, dropped } = judgeAll(node, left);
      result.dropped += dropped;
      if (wanted.length > 0) {
        const sources = new Map(wanted.map((chunk) => [chunk, fetch(chunk)]));
        const sourceOf = (chunk: number): SumsSource => sources.get(chunk)!;
        host.ask(() => ({ answer: undefined, effects: workOf(core.admit(node, wanted), sourceOf) }));
        result.accepted += wanted.length;
        wake();
      }
      if (left.size === 0) return result;
      // The chunks just admitted may be what others are waiting for.
      if (wanted.length === 0) await change(gone);
    }
  };

  return { offer, wake };
}
