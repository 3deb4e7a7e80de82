/**
 * Runs one part of the check in its own process, which is killed with everything it has started when its time is over: a graph
 * that waits for itself can't be ended in any other way. Everything the process had found by then is kept.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { reasonOf } from "../../shared/system-errors.js";
import type { PartLine, PartReport } from "./report.js";

const PROGRAM = fileURLToPath(new URL("./part-program.js", import.meta.url));
const ERROR_LINES_MAX = 20;

export interface RunPartOptions {
  /** The program's command line, after its name. */
  readonly args: readonly string[];
  readonly limitSeconds: number;
  /** Its whole environment; this process's by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** Another program, in tests. */
  readonly program?: string;
}

/** Never rejects. */
export async function runPart(options: RunPartOptions): Promise<PartReport<object>> {
  const { limitSeconds } = options;
  const started = performance.now();
  const found = { rows: [] as object[], failures: [] as string[], absent: [] as string[] };
  const take = (line: PartLine): void => {
    if ("row" in line) found.rows.push(line.row);
    else if ("fail" in line) found.failures.push(line.fail);
    else found.absent.push(line.absent);
  };
  const problem = await run(options, take);
  if (problem !== undefined) found.failures.push(problem);
  const { rows, failures, absent } = found;
  if (rows.length === 0 && failures.length === 0 && absent.length === 0) failures.push("It has found nothing.");
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  return { ok: failures.length === 0, seconds, limitSeconds, failures, absent, rows };
}

/** @returns why the process did not end well, as a sentence; undefined if it did. */
function run(
  { args, limitSeconds, env, program = PROGRAM }: RunPartOptions,
  take: (line: PartLine) => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    // In its own process group, so that everything it has started ends with it.
    const child = spawn(process.execPath, [program, ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let isLate = false;
    const errors: string[] = [];
    const killGroup = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
    };
    // Before the listener that removes the files it writes.
    process.prependOnceListener("exit", killGroup);
    const timer = setTimeout(() => {
      isLate = true;
      killGroup();
    }, 1000 * limitSeconds);
    child.once("error", (error) => resolve(`It could not be started: ${reasonOf(error)}.`));
    // A process that it has left running would keep its output open.
    child.once("exit", killGroup);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      process.off("exit", killGroup);
      if (isLate) resolve(`It did not end within ${limitSeconds} s, and was killed.`);
      else if (code === 0) resolve(undefined);
      else resolve(`It ended with ${code === null ? signal : `exit code ${code}`} (${errors.at(-1) ?? "no reason"}).`);
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const parsed = parsedLine(line);
      if (parsed !== undefined) take(parsed);
    });
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (line.trim() !== "") errors.push(line.trim());
      if (errors.length > ERROR_LINES_MAX) errors.shift();
    });
  });
}

/** A line of a part; undefined: a library has printed it, or the process was killed while it was printing. */
function parsedLine(line: string): PartLine | undefined {
  if (!/^\{"(row|fail|absent)":/.test(line)) return undefined;
  try {
    return JSON.parse(line) as PartLine;
  } catch {
    return undefined;
  }
}
