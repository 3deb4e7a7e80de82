import { findRuns, readRunOverview } from "../../server/index.js";
import { messageOf } from "../../shared/errors.js";
import type { Environment } from "../environment.js";
import { createPaint } from "../progress/view.js";
import { type ListedRun, runLines } from "../runs/describe.js";

export interface RunsOptions {
  readonly json?: boolean;
}

/** Lists the runs in a folder with their results, the newest first. */
export function runs(folder: string, { json = false }: RunsOptions, environment: Environment): void {
  const { stdout } = process;
  const listed = findRuns(folder).map(overviewOf);
  listed.sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
  if (json) return void stdout.write(`${JSON.stringify(listed, null, 2)}\n`);
  if (listed.length === 0) return void stdout.write(`There are no runs in ${folder}.\n`);
  const isTerminal = stdout.isTTY === true;
  const size = {
    columns: isTerminal ? stdout.columns : undefined,
    paint: createPaint(environment.color && isTerminal),
  };
  stdout.write(`${runLines(listed, Date.now(), size).join("\n")}\n`);
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
