/**
 * The pull: one stream a shard brings chunks, which are copied straight into θ in the shared memories; when θ is of
 * one version, the compute threads copy it into their models. From then on they have that version for good, whatever
 * comes into θ, which may already be the beginning of the next.
 *
 * Only while the threads copy does θ have to stand still. A chunk that comes then waits, and with it its stream:
 * nothing is stored, the shard is not read from, and sends only the newest version of a chunk once it is again.
 *
 * A chunk that came damaged is asked for again by opening its stream anew, since a new stream begins with every chunk.
 */
import { IsobatchError } from "../shared/errors.js";
import type { Layout } from "../shared/layout/index.js";
import type { Logger } from "../shared/log.js";
import { type Connection, readMessages, verifyChecksum, type WeightsChunk__Output } from "../shared/wire/index.js";
import { backoffMs, pause } from "./backoff.js";
import type { WorkerMemory } from "./compute/index.js";
import type { ShardLink } from "./shard-link.js";
import { createWeightVersions, isSameVersion, type WeightsVersion } from "./weight-versions.js";

export interface WeightsOptions {
  readonly workerId: string;
  /** JoinResponse's. */
  readonly seal: Uint8Array;
  readonly links: readonly ShardLink[];
  readonly memory: WorkerMemory;
  /** Has the threads copy θ; until it resolves θ stands still. Its failure is the end. */
  load(): Promise<void>;
  /** θ is complete; the threads are about to copy it, and whatever is computed with older weights is void. */
  onComplete(weights: WeightsVersion): void;
  /** The threads have these weights. */
  onHeld(weights: WeightsVersion): void;
  onFailed(error: unknown): void;
  readonly log: Logger;
}

export interface Weights {
  /** A newer epoch voids all chunks. */
  openEpoch(epoch: number): void;
  /** Says that the threads are new and hold nothing: they copy θ if it is still complete, else the next version. */
  reload(): void;
  /** Closes the streams; resolves when θ is touched no more. */
  close(): Promise<void>;
}

export function openWeights(options: WeightsOptions): Weights {
  const { workerId, seal, links, memory, log } = options;
  const { layout } = memory.plan;
  const versions = createWeightVersions(layout.chunks);
  const closed = new AbortController();
  let held: WeightsVersion | undefined;
  let loading: Promise<void> | undefined;
  let loads = 0;

  const load = async (weights: WeightsVersion): Promise<void> => {
    try {
      await options.load();
      held = weights;
      loads += 1;
    } catch (error) {
      return options.onFailed(error);
    } finally {
      loading = undefined;
    }
    if (!closed.signal.aborted) options.onHeld(weights);
  };

  const loadIfComplete = (): void => {
    const { complete } = versions;
    if (complete === undefined || loading !== undefined || isSameVersion(complete, held)) return;
    options.onComplete(complete);
    loading = load(complete);
  };

  const receive = (link: ShardLink, connection: Connection, message: WeightsChunk__Output): void => {
    const bytes = checked(message, link, connection, layout);
    if (!versions.accept(message.chunk, message)) return;
    memory.weights(layout.chunks[message.chunk]).set(bytes);
    loadIfComplete();
  };

  const watch = async (link: ShardLink): Promise<void> => {
    let failures = 0;
    while (!closed.signal.aborted) {
      const loadsBefore = loads;
      try {
        const connection = await link.connection("weights");
        const stream = connection.shard.watchWeights({ workerId, seal: Buffer.from(seal), epoch: versions.epoch });
        const what = `The weights' stream of ${link.name}`;
        for await (const message of readMessages(stream, { what, signal: closed.signal })) {
          while (loading !== undefined) await loading;
          if (closed.signal.aborted) return;
          receive(link, connection, message);
        }
        if (!closed.signal.aborted) log.debug(`${what} was ended; it is opened again`);
      } catch (error) {
        if (closed.signal.aborted) return;
        if (!(error instanceof IsobatchError)) return options.onFailed(error);
        log[failures === 0 ? "warn" : "debug"](`${error.message} The stream is opened again.`);
      }
      failures = loads === loadsBefore ? failures + 1 : 0;
      await pause(backoffMs(failures), closed.signal);
    }
  };
  const watching = links.map(watch);

  return {
    openEpoch: (epoch) => versions.openEpoch(epoch),
    reload() {
      held = undefined;
      loadIfComplete();
    },
    async close() {
      closed.abort();
      await Promise.all(watching);
      await loading;
    },
  };
}

/** The chunk's bytes, once they are known to be whole. */
function checked(
  { chunk, weights, checksum }: WeightsChunk__Output,
  link: ShardLink,
  connection: Connection,
  layout: Layout,
): Uint8Array {
  if (!(chunk >= link.firstChunk && chunk < link.endChunk)) {
    throw new IsobatchError("damaged", `Chunk ${chunk} came from ${link.name}, which holds no such chunk.`);
  }
  const expected = layout.chunks[chunk].length * Float32Array.BYTES_PER_ELEMENT;
  if (weights.length !== expected) {
    throw new IsobatchError(
      "damaged",
      `Chunk ${chunk} from ${link.name} has ${weights.length} bytes instead of ${expected}.`,
    );
  }
  verifyChecksum(connection, [weights], checksum, `Chunk ${chunk} from ${link.name}`);
  return weights;
}
