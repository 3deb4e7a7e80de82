import { join } from "node:path";
import {
  type EvaluationLine,
  isBetterScore,
  METRICS_FILE,
  type MetricsLine,
  RUN_FILES,
  type RunIdentity,
  readJsonLines,
  readRunDirectory,
  type Summary,
} from "../../server/record/index.js";
import type { Layout } from "../../shared/layout/index.js";
import { parseWritten } from "../../shared/parse-json.js";
import { readRegularFile } from "../../shared/regular-file.js";
import type { Task } from "../../tasks/index.js";
import { type History, historyOf } from "../charts/index.js";
import { type Happening, happeningOf, withHappening } from "../happenings/index.js";

/** What a report is made of. */
export interface RunFiles {
  readonly task: Task;
  readonly identity: RunIdentity;
  readonly layout: Pick<Layout, "tensors">;
  readonly history: History;
  /** Undefined without an evaluation. */
  readonly evaluations: Evaluations | undefined;
  /** Steps and samples so far. */
  readonly steps: number;
  readonly samples: number;
  /** The newest ones, oldest first. */
  readonly happenings: readonly Happening[];
  /** The first and the last start; undefined in a directory of a version that did not record starts. */
  readonly starts: Starts | undefined;
  /** Missing before the run has ended. */
  readonly summary: Summary | undefined;
}

export interface Evaluations {
  readonly first: EvaluationLine;
  readonly last: EvaluationLine;
  /** The one with the highest accuracy; of the lowest loss where accuracy has no meaning. */
  readonly best: EvaluationLine;
}

export interface Starts {
  /** ISO 8601. */
  readonly firstAt: string;
  readonly lastAt: string;
  readonly count: number;
  /** The last start's command line. */
  readonly command: string | undefined;
}

const HAPPENINGS_MAX = 200;

/**
 * Reads a run directory's files; works before the run has ended, too.
 * @throws {IsobatchError} `invalid_input` when it is not a run directory; `damaged` when a file of it can't be read
 */
export function readRunFiles(runFolder: string): RunFiles {
  const { identity, taskJson, layout } = readRunDirectory(runFolder);
  const task = parseWritten<Task>(taskJson, `${RUN_FILES.task} of the run`);
  const summaryText = readRegularFile(join(runFolder, RUN_FILES.summary));
  const summary =
    summaryText === undefined ? undefined : parseWritten<Summary>(summaryText, `${RUN_FILES.summary} of the run`);
  return { task, identity, layout, summary, ...readRecord(readJsonLines<MetricsLine>(join(runFolder, METRICS_FILE))) };
}

/** What a record shows, from one pass over its lines. */
export function readRecord(
  lines: Iterable<MetricsLine>,
): Pick<RunFiles, "history" | "evaluations" | "steps" | "samples" | "happenings" | "starts"> {
  let happenings: Happening[] = [];
  let evaluations: Evaluations | undefined;
  let starts: Starts | undefined;
  let [steps, samples] = [0, 0];
  function* watched(): Generator<MetricsLine> {
    for (const line of lines) {
      if (line.type === "step") [steps, samples] = [line.step + 1, line.samples];
      else if (line.type === "evaluation") evaluations = withEvaluation(evaluations, line);
      else {
        const happening = happeningOf(line);
        if (happening !== undefined) happenings = withHappening(happenings, happening, HAPPENINGS_MAX);
        if (line.event === "started") starts = withStart(starts, line.at, line.command);
      }
      yield line;
    }
  }
  const history = historyOf(watched());
  return { history, evaluations, steps, samples, happenings, starts };
}

function withEvaluation(before: Evaluations | undefined, line: EvaluationLine): Evaluations {
  if (before === undefined) return { first: line, last: line, best: line };
  const { first, best } = before;
  return { first, last: line, best: isBetterScore(line, best) ? line : best };
}

function withStart(before: Starts | undefined, at: string, command: unknown): Starts {
  return {
    firstAt: before?.firstAt ?? at,
    lastAt: at,
    count: (before?.count ?? 0) + 1,
    command: typeof command === "string" ? command : undefined,
  };
}
