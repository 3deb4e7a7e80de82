import { count, duration } from "../../../shared/format.js";
import type { History } from "../../charts/index.js";
import type { LiveShard, LiveStatus, LiveWorker } from "../../dashboard/view/live.js";
import { adviceOf, bytesText, factsOf, progressOf, workerCells, workersSummary } from "../../dashboard/view/summary.js";
import type { Happening } from "../../happenings/index.js";
import { byId, create, fill, setText } from "./dom.js";

/** The words and figures of the page. */

export function showFacts(status: LiveStatus | undefined, history: History): void {
  fill(
    byId("facts"),
    factsOf(status, history),
    () => {
      const box = create("div");
      const value = create("dd");
      value.append(create("span", "value"), create("small"));
      box.append(create("dt"), value);
      return box;
    },
    (box, { name, value, more = "" }) => {
      setText(box.querySelector("dt")!, name);
      setText(box.querySelector(".value")!, value);
      setText(box.querySelector("small")!, more);
    },
  );
}

export function showProgress(status: LiveStatus): void {
  const { share, text } = progressOf(status);
  byId<HTMLProgressElement>("progress").value = share;
  setText(byId("progress-text"), text);
  setText(byId("advice"), adviceOf(status));
}

/** @param drain undefined for people who may not act */
export function showWorkers(workers: readonly LiveWorker[], drain: ((worker: string) => void) | undefined): void {
  setText(byId("workers-summary"), workersSummary(workers));
  byId("no-workers").hidden = workers.length > 0;
  byId("workers").hidden = workers.length === 0;
  const heads = headings("workers");
  fill(
    byId("workers").querySelector("tbody")!,
    workers,
    () => {
      const row = rowOf(heads);
      if (drain === undefined) return row;
      const button = create("button", "small", "Drain…");
      button.setAttribute("type", "button");
      button.addEventListener("click", () => drain(row.dataset.worker ?? ""));
      const cell = create("td", "act");
      cell.append(button);
      row.append(cell);
      return row;
    },
    (element, worker) => {
      const row = element as HTMLElement;
      row.dataset.worker = worker.id;
      row.dataset.state = worker.state;
      showCells(row, workerCells(worker));
      const button = row.querySelector("button");
      button?.setAttribute("aria-label", `Drain ${worker.id}`);
      if (button) button.disabled = worker.state === "draining";
    },
  );
}

export function showShards(shards: readonly LiveShard[]): void {
  const heads = headings("shards");
  fill(
    byId("shards").querySelector("tbody")!,
    shards,
    () => rowOf(heads),
    (row, { index, state, version, chunks, bytesReceived, bytesSent }) =>
      showCells(row, [
        String(index),
        state,
        count(version),
        count(chunks),
        bytesText(bytesReceived),
        bytesText(bytesSent),
      ]),
  );
}

export function showCheckpoints({ checkpoints, checkpointAgeSeconds, step }: LiveStatus): void {
  const newest = checkpoints.at(-1);
  const age = checkpointAgeSeconds === null ? "" : `, ${duration(checkpointAgeSeconds)} ago`;
  const text =
    newest === undefined
      ? "None yet."
      : `The newest is of step ${count(newest)}${age}. After a crash, ${count(Math.max(0, step - newest))} steps would be computed again.`;
  setText(byId("checkpoint-age"), text);
  fill(
    byId("checkpoints"),
    [...checkpoints].reverse(),
    () => create("li"),
    (item, of) => setText(item, `step ${count(of)}`),
  );
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** @param happenings the newest last */
export function showHappenings(happenings: readonly Happening[]): void {
  fill(
    byId("happenings"),
    [...happenings].reverse(),
    () => {
      const item = create("li");
      item.append(create("time"), create("span"));
      return item;
    },
    (item, { at, text }) => {
      const time = item.querySelector("time")!;
      time.dateTime = at;
      setText(time, timeText(new Date(at)));
      setText(item.querySelector("span")!, text);
    },
  );
}

/** With the day, if that is not today. */
function timeText(at: Date): string {
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}

/** A table's headings, which name the cells where there is no room for columns. */
function headings(table: string): HTMLTableCellElement[] {
  return [...byId(table).querySelectorAll<HTMLTableCellElement>("thead th")].filter(
    (head) => head.querySelector(".unseen") === null,
  );
}

function rowOf(heads: readonly HTMLTableCellElement[]): HTMLElement {
  const row = create("tr");
  for (const [i, head] of heads.entries()) {
    const cell = create(i === 0 ? "th" : "td", head.className);
    if (i === 0) cell.setAttribute("scope", "row");
    cell.dataset.label = head.textContent ?? "";
    row.append(cell);
  }
  return row;
}

function showCells(row: Element, texts: readonly string[]): void {
  for (const [i, text] of texts.entries()) setText(row.children[i], text);
}
