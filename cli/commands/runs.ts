import { findRuns, readRunOverview } from "../../server/index.js";
import { writeFileDurably } from "../../shared/durable-file.js";
import { invalid, messageOf } from "../../shared/errors.js";
import type { Environment } from "../environment.js";
import { plural } from "../progress/format.js";
import { createLink } from "../progress/links.js";
import { createPaint } from "../progress/view.js";
import { type ListedRun, runLines } from "../runs/describe.js";

export interface RunsOptions {
  readonly json?: boolean;
  /** The file for a report of all of them. */
  readonly report?: string;
}

/** Lists the runs in a folder with their results, the newest first. */
export async function runs(folder: string, options: RunsOptions, environment: Environment): Promise<void> {
  const { json = false, report } = options;
  const { stdout } = process;
  const isTerminal = stdout.isTTY === true;
  const listed = findRuns(folder).map(overviewOf);
  listed.sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
  if (report !== undefined) await writeReport(report, folder, listed);
  if (json) return void stdout.write(`${JSON.stringify(listed, null, 2)}\n`);
  if (listed.length === 0) return void stdout.write(`There are no runs in ${folder}.\n`);
  const size = {
    columns: isTerminal ? stdout.columns : undefined,
    paint: createPaint(environment.color && isTerminal),
  };
  stdout.write(`${runLines(listed, Date.now(), size).join("\n")}\n`);
  if (report === undefined) return;
  const link = createLink(environment.links && isTerminal);
  stdout.write(`report of ${plural(readable(listed).length, "run")}: ${link(report, report)}\n`);
}

async function writeReport(file: string, folder: string, listed: readonly ListedRun[]): Promise<void> {
  const folders = readable(listed);
  if (folders.length === 0) invalid(`There are no runs in ${folder} that a report could show.`);
  const { renderRunsReport } = await import("../../viewing/index.js");
  writeFileDurably(file, renderRunsReport(folders));
}

function readable(listed: readonly ListedRun[]): string[] {
  return listed.flatMap((run) => ("problem" in run ? [] : [run.folder]));
}

/** One run that is damaged does not keep the others from being listed. */
function overviewOf(folder: string): ListedRun {
  try {
    return readRunOverview(folder);
  } catch (error) {
    return { folder, problem: messageOf(error) };
  }
}

function timeOf(run: ListedRun): string {
  return "problem" in run ? "" : (run.changedAt ?? "");
}
