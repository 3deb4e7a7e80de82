/** What happens in a run as an iterator: the lines of metrics.jsonl, and what only this process knows. */
import { type MetricsLine, type RunRecord, readJsonLines } from "../../server/record/index.js";
import type { RunEvent, WorkerProcessEvent } from "../types/events.js";
import type { EventOptions } from "../types/run.js";

/** What this process says about its worker processes; the newest are kept for readers that come later. */
export interface Notices {
  readonly kept: readonly WorkerProcessEvent[];
  add(message: string): void;
  /** Calls `listener` after each one, until the returned function is called. */
  listen(listener: () => void): () => void;
  /** How many there were, kept or not. */
  readonly count: number;
}

const NOTICES_MAX = 1_000;

export function createNotices(): Notices {
  const kept: WorkerProcessEvent[] = [];
  const listeners = new Set<() => void>();
  let count = 0;
  return {
    kept,
    get count() {
      return count;
    },
    add(message) {
      kept.push({ type: "workerProcess", at: new Date().toISOString(), message });
      if (kept.length > NOTICES_MAX) kept.shift();
      count += 1;
      for (const listener of listeners) listener();
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export interface EventSource {
  readonly metrics: Pick<RunRecord<MetricsLine>, "subscribe">;
  /** The path of metrics.jsonl, from which what is left is read once the run has ended. */
  readonly path: string;
  /** ISO 8601: events of this start are not older. */
  readonly startedAt: string;
  readonly notices: Notices;
  /** Resolves, whatever the outcome, when no more lines come. */
  readonly ended: Promise<unknown>;
}

export async function* runEvents(
  source: EventSource,
  { earlier = false }: EventOptions = {},
): AsyncGenerator<RunEvent> {
  let isWanted = earlier;
  for await (const line of linesOf(source)) {
    // The first line of a start is an event, whose time is newer than those of earlier starts.
    if (!isWanted) isWanted = line.type !== "step" && line.type !== "evaluation" && line.at >= source.startedAt;
    if (isWanted) yield line;
  }
}

async function* linesOf({ metrics, path, notices, ended }: EventSource): AsyncGenerator<RunEvent> {
  /** The line that waits to be taken; the file keeps those that follow it. */
  let offered: { readonly line: RunEvent; taken(): void } | undefined;
  let wake = (): void => {};
  let isOver = false;
  let noticesSeen = 0;
  const unsubscribe = metrics.subscribe(0, (json) => {
    return new Promise<void>((taken) => {
      offered = { line: eventOf(JSON.parse(json) as MetricsLine), taken };
      wake();
    });
  });
  const unlisten = notices.listen(() => wake());
  void ended.then(() => {
    isOver = true;
    wake();
  });
  try {
    for (;;) {
      while (noticesSeen < notices.count) {
        const dropped = notices.count - notices.kept.length;
        const next = Math.max(noticesSeen, dropped);
        noticesSeen = next + 1;
        yield notices.kept[next - dropped];
      }
      if (offered !== undefined) {
        const { line, taken } = offered;
        offered = undefined;
        yield line;
        taken();
      } else if (isOver) {
        break;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    // A rollback cuts lines off, so this can be less than the number of lines that were read.
    const next = unsubscribe();
    let number = 0;
    for (const line of readJsonLines<MetricsLine>(path)) if (number++ >= next) yield eventOf(line);
  } finally {
    unsubscribe();
    unlisten();
  }
}

/** An event's name is its type. */
function eventOf(line: MetricsLine): RunEvent {
  if (line.type !== "event") return line;
  const { type: _, event, ...details } = line;
  return { type: event, ...details } as unknown as RunEvent;
}
