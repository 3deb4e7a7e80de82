/** A worker's terminal: one line that moves, and its log above it. */
import type { LogRecord } from "../../index.js";
import type { Environment } from "../environment.js";
import { openLog, relayRecord } from "../log.js";
import { count, cutTo, measure, plural } from "./format.js";
import { createLiveLines } from "./live-lines.js";
import { createPaint, type Paint } from "./view.js";

/** A worker at one moment. */
export interface WorkerView {
  /** What it does, in words. */
  readonly state: string;
  readonly task: string;
  /** Undefined before its first. */
  readonly step: number | undefined;
  readonly samples: number;
  readonly samplesPerSecond: number;
}

export interface WorkerTerminal {
  /** Logs a record. */
  onLog(record: LogRecord): void;
  /** Says, where there is a line to come, what happens before it: native libraries may print while they are loaded. */
  announce(message: string): void;
  /** Shows from now on what `read` returns at each redraw. */
  show(read: () => WorkerView): void;
  /** Removes the line; logging continues. */
  close(): void;
}

/** On a pipe, and where the log is JSON, there is only the log. */
export function openWorkerTerminal(environment: Environment): WorkerTerminal {
  const { stderr } = process;
  const moves = stderr.isTTY === true && environment.logFormat !== "json" && environment.logLevel !== "silent";
  if (!moves) {
    const log = openLog(environment, "info");
    return { onLog: (record) => relayRecord(log, record), announce() {}, show() {}, close() {} };
  }
  const lines = createLiveLines(stderr, 1);
  // However this process ends, the cursor is shown again.
  process.once("exit", lines.close);
  const paint = createPaint(environment.color);
  const log = openLog(environment, "info", { moves, print: lines.print });
  return {
    onLog: (record) => relayRecord(log, withoutNames(record)),
    announce: (message) => log.info(message),
    show: (read) => lines.show((columns) => [workerLine(read(), columns, paint)]),
    close: lines.close,
  };
}

/** A terminal shows one worker, whose run and name need not be on every line. What a notice is about is in its message. */
function withoutNames(record: LogRecord): LogRecord {
  if (record.level === "info") return { ...record, fields: {} };
  const { run: _run, worker: _worker, ...fields } = record.fields;
  return { ...record, fields };
}

const GAP = "  ";

export function workerLine(view: WorkerView, columns: number, paint: Paint): string {
  const { task, step, samples, samplesPerSecond, state } = view;
  const steps = step === undefined ? [] : [`step ${count(step)}`];
  const figures = [...steps, plural(samples, "sample"), `${measure(samplesPerSecond)}/s`];
  const isBusy = state === "computing" || state === "evaluating";
  if ([task, ...figures, state].join(GAP).length >= columns) return cutTo([state, ...figures].join(GAP), columns - 1);
  return [paint("bold", task), ...figures, paint(isBusy ? "green" : "yellow", state)].join(GAP);
}
