/** Is given the text of each line, in order. The next line waits for the promise of the one before. */
export type LineListener = (json: string, line: number) => void | Promise<void>;

/**
 * Who watches a file of lines while it grows. What is written is passed on at once to a watcher that waits for it, and
 * read back from the file for one that is behind: nothing is kept, however slow a watcher is.
 */
export interface LineWatchers {
  /** Gives the listener each line from number `fromLine` on. A listener that throws gets no more. @returns ends that */
  subscribe(fromLine: number, listener: LineListener): () => void;
  /** The file has one line more, with this text. */
  grown(text: string): void;
  /** The file was rewritten: all that was read of it is out of date. */
  cut(): void;
  clear(): void;
}

interface Watcher {
  /** The number of the line that it gets next. */
  next: number;
  running: boolean;
  readonly listener: LineListener;
}

export interface WatchedFile {
  readonly count: number;
  /** Some lines from number `first` on, which there is. */
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
      return () => watchers.delete(watcher);
    },
    grown(text) {
      for (const watcher of watchers) void pump(watcher, text);
    },
    cut() {
      cuts += 1;
      for (const watcher of watchers) watcher.next = Math.min(watcher.next, file.count);
    },
    clear: () => watchers.clear(),
  };
}
