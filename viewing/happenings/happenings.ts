import { count, plural } from "../../shared/format.js";

/** What happened in a run, in words: events of its record, newest last. Pure, and without anything of Node's. */
export interface Happening {
  /** ISO 8601. */
  readonly at: string;
  readonly text: string;
  /** The number of checkpoints that this line stands for. */
  readonly checkpoints?: number;
}

/** An event of the record, with whatever details it has. */
export interface RunOccurrence {
  readonly event: string;
  readonly at: string;
  readonly [detail: string]: unknown;
}

/** @returns undefined for an event that people need not see */
export function happeningOf(line: RunOccurrence): Happening | undefined {
  const text = textOf(line);
  if (text === undefined) return undefined;
  return { at: line.at, text: capitalised(text), ...(line.event === "checkpoint" && { checkpoints: 1 }) };
}

/** The list with one more; checkpoints in a row are one line, so that they push nothing else out. */
export function withHappening(list: readonly Happening[], happening: Happening, most: number): Happening[] {
  const last = list.at(-1);
  if (happening.checkpoints === undefined || last?.checkpoints === undefined) return [...list, happening].slice(-most);
  const checkpoints = last.checkpoints + happening.checkpoints;
  const newest = happening.text.replace(/^Checkpoint | written$/g, "");
  const text = `${count(checkpoints)} checkpoints written, the newest ${newest}`;
  return [...list.slice(0, -1), { at: happening.at, text, checkpoints }];
}

function textOf(line: RunOccurrence): string | undefined {
  const step = count(Number(line.step));
  switch (line.event) {
    case "started":
      return `server started, Isobatch ${line.version}`;
    case "workerJoined":
      return `worker ${line.worker} joined: ${line.device}`;
    case "workerLeft":
      return `worker ${line.worker} left: ${line.reason}`;
    case "kappa":
      return `${kappaText(line)} from step ${step} on (${line.reason})`;
    case "checkpoint":
      return `checkpoint of step ${step} written`;
    case "restored":
      return restoredText(line);
    case "failed":
      return `the run failed: ${line.reason}`;
    case "extended":
    case "note":
      return String(line.message);
    default:
      return undefined;
  }
}

function kappaText({ from, kappa }: RunOccurrence): string {
  const now = `${count(Number(kappa))} ${Number(kappa) === 1 ? "micro-batch" : "micro-batches"} per step (κ)`;
  return typeof from === "number" ? `${now} instead of ${count(from)}` : now;
}

function restoredText({ step, recomputedSteps }: RunOccurrence): string {
  const again = Number(recomputedSteps ?? 0);
  const redone = again === 0 ? "" : `; ${plural(again, "step")} ${again === 1 ? "is" : "are"} computed again`;
  if (Number(step) === 0 && again === 0) return "training starts from the initial weights";
  return `training continues from the checkpoint of step ${count(Number(step))}${redone}`;
}

function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
