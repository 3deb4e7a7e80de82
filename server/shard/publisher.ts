import type { Chunk } from "../../shared/layout/index.js";
import { checksumFor, type MessageWriter, type WeightsChunk } from "../../shared/wire/index.js";

/**
 * What WatchWeights sends: every chunk as soon as it has a new version, to each watcher at its own pace. A watcher
 * that is behind has a set of chunks to fetch, not a queue of messages: it costs no memory however slow it is, and
 * it always gets the newest version.
 */
export interface Publisher {
  /** The chunk has this version from now on; its bytes stay as they are until the next call for it. */
  publish(chunk: Chunk, epoch: number, version: number): void;
  /** Nothing is valid any more, until it is published anew. */
  retract(): void;
  /** Sends all chunks that are published, and those that will be. Settles when the writer has ended. */
  watch(writer: MessageWriter<WeightsChunk>, connection: { readonly encrypted: boolean }): Promise<void>;
}

interface Published {
  readonly chunk: Chunk;
  readonly epoch: number;
  readonly version: number;
  /** Computed when it is first sent over a connection that needs it. */
  checksum: Buffer | undefined;
}

interface Watcher {
  /** Chunks to send, in the order of their publication. */
  readonly behind: Set<number>;
  wake: () => void;
}

/**
 * @param weights the chunk's bytes, in place.
 * @param sent is told how many bytes of weights each message carried.
 */
export function createPublisher(weights: (chunk: Chunk) => Buffer, sent: (bytes: number) => void): Publisher {
  const published = new Map<number, Published>();
  const watchers = new Set<Watcher>();

  return {
    publish(chunk, epoch, version) {
      published.set(chunk.index, { chunk, epoch, version, checksum: undefined });
      for (const watcher of watchers) {
        watcher.behind.delete(chunk.index);
        watcher.behind.add(chunk.index);
        watcher.wake();
      }
    },

    retract() {
      published.clear();
      for (const watcher of watchers) watcher.behind.clear();
    },

    async watch(writer, connection) {
      const watcher: Watcher = { behind: new Set(published.keys()), wake: () => {} };
      watchers.add(watcher);
      const ended = new Promise<void>((resolve) => {
        writer.ended.addEventListener("abort", () => resolve(), { once: true });
      });
      try {
        while (!writer.ended.aborted) {
          const [next] = watcher.behind;
          if (next === undefined) {
            const woken = new Promise<void>((resolve) => {
              watcher.wake = resolve;
            });
            await Promise.race([woken, ended]);
            continue;
          }
          watcher.behind.delete(next);
          const entry = published.get(next)!;
          const bytes = weights(entry.chunk);
          if (!connection.encrypted) entry.checksum ??= checksumFor(connection, [bytes]);
          const { epoch, version } = entry;
          const checksum = connection.encrypted ? undefined : entry.checksum;
          await writer.write({ epoch, version, chunk: next, weights: bytes, checksum });
          sent(bytes.length);
        }
      } catch {
        // The watcher has gone: it reconnects by itself, and gets everything then.
      } finally {
        watchers.delete(watcher);
      }
    },
  };
}
