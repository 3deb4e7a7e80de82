import { randomBytes } from "node:crypto";
import type { MetricsLine } from "../../../server/record/index.js";
import { addEvaluation, addStep, createHistory, cutBack } from "../../charts/index.js";
import { type Happening, withHappening } from "../../happenings/index.js";
import type { DashboardSource } from "../source.js";
import type { Snapshot, Update } from "../view/live.js";
import { updatesOf } from "./updates.js";

/**
 * Follows a run's metrics for the pages that watch it: its history, in bounded memory, and the last updates by number,
 * so that a page that was disconnected briefly gets what it missed, and one that was away longer gets a snapshot.
 */
export interface Feed {
  /** The present position, for `since`; opaque. */
  readonly cursor: string;
  /** The updates after a cursor of this feed; undefined if some of them are no longer kept, or it is another feed's. */
  since(cursor: string): readonly Update[] | undefined;
  snapshot(): Snapshot;
  /** Calls `listener` after each update. @returns ends that */
  onUpdate(listener: () => void): () => void;
  close(): void;
}

/** Updates kept for pages that come back: a minute at 60 steps a second. */
const UPDATES_KEPT = 3_600;
const HAPPENINGS_KEPT = 200;
/** While the file of a resumed run is read, other work gets its turn after this many lines. */
const LINES_AT_ONCE = 256;

export function createFeed(source: Pick<DashboardSource, "task" | "metrics">): Feed {
  /** Another process, or another feed, numbers its updates differently. */
  const generation = randomBytes(6).toString("base64url");
  const history = createHistory();
  let happenings: Happening[] = [];
  let updates: Update[] = [];
  let dropped = 0;
  const listeners = new Set<() => void>();

  function apply(update: Update): void {
    const [kind, value] = update;
    if (kind === "step") addStep(history, value);
    else if (kind === "evaluation") addEvaluation(history, value);
    else if (kind === "back") cutBack(history, value);
    else if (kind === "phases") history.phases = [...value];
    else happenings = withHappening(happenings, value, HAPPENINGS_KEPT);
    updates.push(update);
    if (updates.length < 2 * UPDATES_KEPT) return;
    dropped += updates.length - UPDATES_KEPT;
    updates = updates.slice(-UPDATES_KEPT);
  }

  const unsubscribe = source.metrics.subscribe(0, (json, number) => {
    const line = JSON.parse(json) as MetricsLine;
    // The first step says which phases there are.
    if (line.type === "step" && history.phases.length === 0) apply(["phases", Object.keys(line.ms)]);
    const news = updatesOf(line, history.phases);
    for (const update of news) apply(update);
    if (news.length > 0) for (const listener of listeners) listener();
    return number % LINES_AT_ONCE === LINES_AT_ONCE - 1 ? new Promise((resolve) => setImmediate(resolve)) : undefined;
  });

  return {
    get cursor() {
      return `${generation}.${dropped + updates.length}`;
    },
    since(cursor) {
      const [theirs, number] = cursor.split(".");
      const from = /^\d{1,15}$/.test(number ?? "") ? Number(number) - dropped : Number.NaN;
      return theirs === generation && from >= 0 && from <= updates.length ? updates.slice(from) : undefined;
    },
    snapshot() {
      const { microBatchSize, samples } = source.task;
      return { sizes: { microBatchSize, samplesTotal: samples }, history, happenings };
    },
    onUpdate(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      unsubscribe();
      listeners.clear();
    },
  };
}
