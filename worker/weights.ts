/**
 * The pull, as the core requests it: one stream per shard brings chunks, which are checked and, when the core takes
 * them, copied directly into θ in the shared memories. Until the core has decided, the stream is not read any further.
 *
 * A damaged chunk ends its stream: a new one starts with every chunk.
 */

import type { WorkerMemory } from "../compute/index.js";
import { IsobatchError } from "../shared/errors.js";
import type { Layout } from "../shared/layout/index.js";
import {
  type Connection,
  giveBackMemory,
  readMessages,
  verifyChecksum,
  type WeightsChunk,
} from "../shared/wire/index.js";
import type { WorkerEvent } from "./core/index.js";
import { failureOf } from "./failure.js";
import type { Near } from "./near/index.js";
import { pause } from "./pause.js";
import type { ShardLink } from "./shard-link.js";
import type { WireForms } from "./wire-forms.js";

export interface WeightStreamsOptions {
  readonly workerId: string;
  /** The seal of the answer to Join. */
  readonly seal: Uint8Array;
  readonly links: readonly ShardLink[];
  readonly memory: WorkerMemory;
  readonly near: Pick<Near, "open">;
  readonly forms: WireForms;
  dispatch(event: WorkerEvent): void;
}

export interface WeightStreams {
  /** Opens the shard's stream after a time. */
  watch(shard: number, term: number, afterMs: number): void;
  /** Copies the current chunk of the shard's stream into θ, and continues reading. */
  take(shard: number): void;
  /** Continues reading without it. */
  skip(shard: number): void;
  /** Closes the streams; resolves when θ is no longer written. */
  close(): Promise<void>;
}

/** A chunk that waits for the core's decision. */
interface Come {
  readonly chunk: number;
  readonly bytes: Uint8Array;
  readonly readOn: () => void;
}

export function createWeightStreams(options: WeightStreamsOptions): WeightStreams {
  const { workerId, seal, links, memory, forms, near, dispatch } = options;
  const { layout } = memory.plan;
  const closed = new AbortController();
  const { signal } = closed;
  const watching = new Set<Promise<void>>();
  const come = new Map<number, Come>();

  const proceed = (shard: number): void => {
    const judged = come.get(shard);
    come.delete(shard);
    judged?.readOn();
  };

  /** Resolves when the core has decided on the chunk. */
  const judge = async (shard: number, connection: Connection, message: WeightsChunk): Promise<void> => {
    const { chunk, term, version } = message;
    const bytes = checked(message, links[shard], connection, { layout, forms });
    const judged = new Promise<void>((readOn) => come.set(shard, { chunk, bytes, readOn }));
    dispatch({ kind: "chunk", shard, chunk, term, version });
    await judged;
  };

  const read = async (shard: number, term: number, what: string): Promise<void> => {
    const connection = await links[shard].connection("weights");
    const stream = connection.shard.watchWeights({ workerId, seal: Buffer.from(seal), term });
    for await (const message of readMessages(stream, { what, signal })) {
      // Chunks that arrive until the call has been cancelled are not passed to the core, which would not decide on
      // them.
      if (signal.aborted) return;
      await judge(shard, connection, message);
      giveBackMemory(message.weights);
      if (signal.aborted) return;
    }
  };

  const watch = async (shard: number, term: number, afterMs: number): Promise<void> => {
    if (afterMs > 0) await pause(afterMs, signal);
    if (signal.aborted) return;
    const what = `The weights' stream of ${links[shard].name}`;
    let gone = false;
    try {
      const session = await near.open(shard, signal);
      if (session === undefined) await read(shard, term, what);
      else {
        const reason = await session.ended;
        await session.close();
        gone = true;
        throw reason;
      }
      if (!signal.aborted) dispatch({ kind: "weightsStreamEnded", shard, reason: `${what} was ended.`, broken: false });
    } catch (error) {
      if (signal.aborted) return;
      // Another attempt would fail in the same way.
      const final = !(error instanceof IsobatchError) || error.code === "invalid_input";
      if (final) return dispatch({ kind: "failed", error, reported: failureOf(error) });
      dispatch({ kind: "weightsStreamEnded", shard, reason: error.message, broken: true, gone });
    }
  };

  return {
    watch(...which) {
      const watched = watch(...which).finally(() => watching.delete(watched));
      watching.add(watched);
    },
    take(shard) {
      const taken = come.get(shard);
      if (taken !== undefined) forms.setWeights(layout.chunks[taken.chunk], taken.bytes);
      proceed(shard);
    },
    skip: proceed,
    async close() {
      closed.abort();
      for (const shard of come.keys()) proceed(shard);
      await Promise.all(watching);
    },
  };
}

/** The chunk's bytes, checked to be complete. */
function checked(
  { chunk, weights, checksum }: WeightsChunk,
  link: ShardLink,
  connection: Connection,
  { layout, forms }: { readonly layout: Layout; readonly forms: WireForms },
): Uint8Array {
  if (!(chunk >= link.firstChunk && chunk < link.endChunk)) {
    throw new IsobatchError("damaged", `Chunk ${chunk} was received from ${link.name}, which holds no such chunk.`);
  }
  const expected = forms.weightsBytes(layout.chunks[chunk]);
  if (weights.length !== expected) {
    throw new IsobatchError(
      "damaged",
      `Chunk ${chunk} from ${link.name} has ${weights.length} bytes instead of ${expected}.`,
    );
  }
  verifyChecksum(connection, [weights], checksum, `Chunk ${chunk} from ${link.name}`);
  return weights;
}
