import type { Attachment } from "../../../worker/core/index.js";
import type { PublishedChunk } from "../simulated-shard.js";
import type { Surroundings } from "./process.js";

/**
 * A worker's θ. From some shards chunks come over a stream, one at a time, and are copied into it; other shards are on
 * the worker's machine, and what it reads is theirs: they only say when all of their chunks are of one version.
 */
export interface Theta {
  readonly shape: Pick<Attachment, "chunks" | "shards" | "microBatchesTotal">;
  watch(shard: number, afterMs: number): void;
  take(shard: number): void;
  skip(shard: number): void;
  read(chunk: number): number;
  /** @returns what says afterwards which near shards are, or were from the start, no longer at these changes */
  watchFor(sequences: ReadonlyMap<number, number>): () => number[];
  shardGone(shard: number): void;
  /** Breaks the calls to near shards: the memory that is shared with them is released. */
  breakNear(): void;
  close(): void;
}

interface Watch {
  stop: () => void;
  /** The newest of each chunk that waits to be sent. */
  readonly waiting: Map<number, PublishedChunk>;
  come: PublishedChunk | undefined;
  busy: boolean;
}

/** Whether this worker and this shard are on one machine. */
export function isNear(world: Surroundings["world"], worker: number, shard: number): boolean {
  return (worker + shard + world.options.seed) % 2 === 0;
}

export function createTheta({ world, index, later, drawMs, dispatch }: Surroundings): Theta {
  const { shards, options } = world;
  const values = new Array<number>(options.chunks).fill(-1);
  const watches = new Map<number, Watch>();
  const shardOf = (chunk: number): number => shards.findIndex((shard) => shard.chunks.includes(chunk));
  const near = shards.map((_, shard) => isNear(world, index, shard));

  function send(shard: number, watch: Watch): void {
    const next = watch.waiting.keys().next();
    if (next.done || watch.busy) return;
    watch.busy = true;
    const sent = watch.waiting.get(next.value)!;
    watch.waiting.delete(next.value);
    later(drawMs(0.1, 20), () => {
      if (watches.get(shard) !== watch) return;
      watch.come = sent;
      const { chunk, term, version } = sent;
      dispatch({ kind: "chunk", shard, chunk, term, version });
    });
  }

  function readOn(shard: number): void {
    const watch = watches.get(shard);
    if (watch === undefined) return;
    watch.busy = false;
    send(shard, watch);
  }

  function announce(shard: number, watch: Watch): void {
    const { whole, changes } = shards[shard];
    if (whole === undefined) return;
    later(drawMs(0.1, 10), () => {
      if (watches.get(shard) !== watch) return;
      dispatch({ kind: "shardWeights", shard, ...whole, sequence: changes });
    });
  }

  function open(shard: number): void {
    const watch: Watch = { waiting: new Map(), come: undefined, busy: false, stop: () => {} };
    watches.set(shard, watch);
    watch.stop = shards[shard].watch((published) => {
      if (near[shard]) return announce(shard, watch);
      watch.waiting.set(published.chunk, published);
      send(shard, watch);
    });
  }

  function ended(shard: number): void {
    watches.get(shard)?.stop();
    watches.delete(shard);
    dispatch({ kind: "weightsStreamEnded", shard, reason: "It broke.", broken: true, gone: near[shard] });
  }

  function lose(shard: number): void {
    const watch = watches.get(shard);
    if (watch === undefined) return;
    later(drawMs(0.1, 50), () => {
      if (watches.get(shard) === watch) ended(shard);
    });
  }

  let attachment = 0;
  return {
    shape: {
      chunks: values.map(() => ({ kind: "parameter" })),
      shards: shards.map(({ chunks }) => ({ firstChunk: chunks[0], endChunk: chunks.at(-1)! + 1 })),
      microBatchesTotal: options.microBatchesTotal,
    },
    watch(shard, afterMs) {
      const mine = attachment;
      later(afterMs + drawMs(0.1, 5), () => {
        if (mine !== attachment) return;
        if (shards[shard].up) open(shard);
        else ended(shard);
      });
    },
    take(shard) {
      const come = watches.get(shard)?.come;
      if (come !== undefined) values[come.chunk] = come.value;
      readOn(shard);
    },
    skip: readOn,
    read(chunk) {
      const shard = shardOf(chunk);
      if (!near[shard]) return values[chunk];
      return watches.has(shard) ? shards[shard].valueOf(chunk) : -1;
    },
    watchFor(sequences) {
      const before = new Map(watches);
      // A shard whose memory was released meanwhile was not there all the time.
      const stood = (shard: number): boolean => before.has(shard) && before.get(shard) === watches.get(shard);
      return () =>
        [...sequences].flatMap(([shard, changes]) =>
          stood(shard) && shards[shard].changes === changes ? [] : [shard],
        );
    },
    shardGone: lose,
    breakNear() {
      for (const [shard, isNear] of near.entries()) if (isNear) lose(shard);
    },
    close() {
      attachment++;
      for (const { stop } of watches.values()) stop();
      watches.clear();
    },
  };
}
