import type { Chunk } from "../../shared/layout/index.js";
import { type Frame, frameOfWeights, type MessageWriter, type WeightsChunk } from "../../shared/wire/index.js";

/**
 * Serves WatchWeights: every chunk is sent as soon as it has a new version, to each watcher at its own pace. A watcher
 * that is behind has a set of chunks to fetch, not a queue of messages: it costs no memory however slow it is, and it
 * always gets the newest version. A version is encoded once for all watchers that keep up with each other.
 */
export interface Publisher {
  /** The chunk has this version now; its bytes do not change until the next call for it. */
  publish(chunk: Chunk, term: number, version: number): void;
  /** No chunk is valid until it is published again. */
  retract(): void;
  /** Sends all published chunks, and later ones as they are published. Settles when the writer has ended. */
  watch(writer: MessageWriter<WeightsChunk | Frame>, connection: { readonly encrypted: boolean }): Promise<void>;
}

interface Published {
  readonly chunk: Chunk;
  readonly term: number;
  readonly version: number;
  /** The frames for encrypted and for plain connections. */
  readonly encodings: Map<boolean, Encoding>;
}

interface Encoding {
  readonly frame: Frame;
  /** The bytes of weights in the frame. */
  readonly bytes: number;
  /** The number of watchers to which it is being written. */
  writes: number;
  /** Whether it is kept for other watchers while it is not being written. */
  kept: boolean;
}

interface Watcher {
  readonly encrypted: boolean;
  /** Chunks to send, in the order of their publication. */
  readonly behind: Set<number>;
  wake: () => void;
}

/**
 * The most memory for frames that are kept for watchers that have not reached them yet; beyond it a chunk is encoded
 * again.
 */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * @param weights returns the chunk's bytes, in place.
 * @param sent is called with the bytes of weights in each message.
 */
export function createPublisher(weights: (chunk: Chunk) => Buffer, sent: (bytes: number) => void): Publisher {
  const published = new Map<number, Published>();
  const watchers = new Set<Watcher>();
  let keptBytes = 0;

  const encode = (entry: Published, { encrypted }: Watcher): Encoding => {
    const known = entry.encodings.get(encrypted);
    if (known !== undefined) return known;
    const { chunk, term, version } = entry;
    const bytes = weights(chunk);
    const frame = frameOfWeights({ term, version, chunk: chunk.index, weights: bytes }, { encrypted });
    const encoding = { frame, bytes: bytes.length, writes: 0, kept: keptBytes + frame.length <= KEPT_BYTES_MAX };
    if (encoding.kept) keptBytes += frame.length;
    entry.encodings.set(encrypted, encoding);
    return encoding;
  };

  const forget = (entry: Published, encrypted: boolean, encoding: Encoding): void => {
    if (encoding.kept) keptBytes -= encoding.frame.length;
    encoding.kept = false;
    if (encoding.writes > 0) return;
    encoding.frame.release();
    entry.encodings.delete(encrypted);
  };

  /** Releases the encodings of a version that is no longer sent. */
  const outdate = (entry: Published | undefined): void => {
    if (entry !== undefined) for (const [encrypted, encoding] of entry.encodings) forget(entry, encrypted, encoding);
  };

  const isWanted = (entry: Published, encrypted: boolean): boolean => {
    const { index } = entry.chunk;
    if (published.get(index) !== entry) return false;
    for (const watcher of watchers) if (watcher.encrypted === encrypted && watcher.behind.has(index)) return true;
    return false;
  };

  const send = async (entry: Published, watcher: Watcher, writer: Parameters<Publisher["watch"]>[0]): Promise<void> => {
    const encoding = encode(entry, watcher);
    encoding.writes += 1;
    try {
      await writer.write(encoding.frame);
      sent(encoding.bytes);
    } finally {
      encoding.writes -= 1;
      if (encoding.writes === 0 && !(encoding.kept && isWanted(entry, watcher.encrypted))) {
        forget(entry, watcher.encrypted, encoding);
      }
    }
  };

  return {
    publish(chunk, term, version) {
      outdate(published.get(chunk.index));
      published.set(chunk.index, { chunk, term, version, encodings: new Map() });
      for (const watcher of watchers) {
        watcher.behind.delete(chunk.index);
        watcher.behind.add(chunk.index);
        watcher.wake();
      }
    },

    retract() {
      for (const entry of published.values()) outdate(entry);
      published.clear();
      for (const watcher of watchers) watcher.behind.clear();
    },

    async watch(writer, { encrypted }) {
      const watcher: Watcher = { encrypted, behind: new Set(published.keys()), wake: () => {} };
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
          await send(published.get(next)!, watcher, writer);
        }
      } catch {
        // The watcher is gone: it reconnects by itself, and then receives everything.
      } finally {
        watchers.delete(watcher);
        for (const entry of published.values()) {
          const encoding = entry.encodings.get(encrypted);
          if (encoding?.writes === 0 && !isWanted(entry, encrypted)) forget(entry, encrypted, encoding);
        }
      }
    },
  };
}
