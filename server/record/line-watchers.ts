/** Called with the text of each line, in order. The next line waits for the promise of the previous one. */
export type LineListener = (json: string, line: number) => void | Promise<void>;

/**
 * The watchers of a file of lines while it grows. A new line is passed at once to a watcher that waits for it, and read
 * back from the file for one that is behind: nothing is kept, however slow a watcher is.
 */
export interface LineWatchers {
  /**
   * Gives the listener each line from number `fromLine` on. A listener that throws gets no more lines.
   * @returns a function that ends this, and returns the number of the first line that the listener has not got
   */
  subscribe(fromLine: number, listener: LineListener): () => number;
  /** A line with this text has been appended to the file. */
  grown(text: string): void;
  /** The file was rewritten without the lines that had these numbers: everything read from it is out of date. */
  cut(removed: readonly number[]): void;
  clear(): void;
}

interface Watcher {
  /** The number of the next line for this watcher. */
  next: number;
  running: boolean;
  readonly listener: LineListener;
}

export interface WatchedFile {
  readonly count: number;
  /** Some lines from number `first` on; that line exists. */
  read(first: number): string[];
}

export function createLineWatchers(file: WatchedFile): LineWatchers {
  const watchers = new Set<Watcher>();
  let cuts = 0;

  /** @param newest the file's last line, if it has just been written */
  async function pump(watcher: Watcher, newest?: string): Promise<void> {
    if (watcher.running) return;
    watcher.running = true;
    let known = watcher.next === file.count - 1 ? newest : undefined;
    try {
      while (watchers.has(watcher) && watcher.next < file.count) {
        const readAt = cuts;
        const texts = known === undefined ? file.read(watcher.next) : [known];
        known = undefined;
        for (const text of texts) {
          const line = watcher.next;
          watcher.next += 1;
          await watcher.listener(text, line);
          if (!watchers.has(watcher) || cuts !== readAt) break;
        }
      }
    } catch {
      watchers.delete(watcher);
    } finally {
      watcher.running = false;
    }
  }

  return {
    subscribe(fromLine, listener) {
      const watcher: Watcher = { next: Math.min(fromLine, file.count), running: false, listener };
      watchers.add(watcher);
      void pump(watcher);
      return () => {
        watchers.delete(watcher);
        return watcher.next;
      };
    },
    grown(text) {
      for (const watcher of watchers) void pump(watcher, text);
    },
    cut(removed) {
      cuts += 1;
      for (const watcher of watchers) watcher.next -= removed.filter((line) => line < watcher.next).length;
    },
    clear: () => watchers.clear(),
  };
}
