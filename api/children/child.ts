/**
 * Another process, which runs one of the programs in `api/programs` and must not outlive this one. Three things see to that:
 * an IPC channel, whose end the child takes for its own (so it goes even after `kill -9` of this process); a SIGKILL when this
 * process exits; and a bound on how long a child may take to end when asked to.
 *
 * What it is to do is the first message on that channel. A child has no terminal: its standard error is read line by line.
 * Lines of JSON are log records; the others are what it says to a person, and the last of these say why it ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { reasonOf } from "../../shared/system-errors.js";
import type { Settings } from "../types/run.js";
import { type FirstMessage, RUNNING } from "./parent.js";

export interface Child {
  readonly processId: number | undefined;
  /** Resolves once the process is gone; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Asks the process to end (SIGTERM), and ends it (SIGKILL) when it has not within `graceMs`. */
  stop(graceMs: number): Promise<ChildExit>;
  /** Ends the process at once (SIGKILL). */
  kill(): void;
  /** Sends it a message, as JSON; one to a process that is gone is lost. */
  send(message: object): void;
}

export interface ChildExit {
  /** Whether it ended by itself, with nothing to complain about. */
  readonly ok: boolean;
  /** Why it ended, as a sentence: its own, where it said one. */
  readonly reason: string;
  /** Its exit code; null if a signal ended it. */
  readonly code: number | null;
}

export interface ChildOptions {
  /** Which of the programs in `api/programs` it runs; a URL: another one, for tests. */
  readonly program: "worker" | "shard" | "experiment" | URL;
  /** What it is to do. Secrets travel here: a command line can be read by everybody. */
  readonly order: object;
  /** Its number among those of its program, which a list of processes shows; it has no other meaning. */
  readonly number?: number;
  /** Settings in the form of environment variables; otherwise its environment is this process's. */
  readonly settings?: Settings;
  /** Is given the child's log records. */
  onLog?(record: Readonly<Record<string, unknown>>): void;
  /** Is given what the child sends. */
  onMessage?(message: unknown): void;
  /** Options of Node.js; for tests. */
  readonly nodeOptions?: readonly string[];
  /** How long it may take until it says that it runs; for tests. */
  readonly startMs?: number;
}

/**
 * Far longer than a start takes, on a busy machine too. Node.js itself waits forever, before it runs anything, where the
 * system gives it none of the threads that it wants.
 */
const START_MS = 60_000;

const LAST_LINES_MAX = 20;
const LINE_LENGTH_MAX = 2_000;

/**
 * What TensorFlow says when it is loaded, before any of its settings counts: how its log is written, and (I0000) that
 * oneDNN is on. It explains nothing.
 */
const LIBRARY_NOTICE = /^(WARNING: All log messages before absl::InitializeLog|I\d{4} \d\d:\d\d:)/;

const alive = new Set<ChildProcess>();

export function startChild(options: ChildOptions): Child {
  const { program, order, number, settings = {}, nodeOptions = [], onLog, onMessage, startMs = START_MS } = options;
  const script = typeof program === "string" ? new URL(`../programs/${program}.js`, import.meta.url) : program;
  const shown = number === undefined ? [] : [String(number)];
  const child = spawn(process.execPath, [...nodeOptions, fileURLToPath(script), ...shown], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  // With a callback an error goes there instead of being thrown.
  const send = (message: object): void => void (child.connected && child.send(message, () => {}));
  send({ order, settings } satisfies FirstMessage);
  if (alive.size === 0) process.once("exit", killAll);
  alive.add(child);
  let overdue = false;
  const startTimer = setTimeout(() => {
    overdue = true;
    child.kill("SIGKILL");
  }, startMs).unref();
  child.on("message", (message) => {
    if (message === RUNNING) clearTimeout(startTimer);
    else onMessage?.(message);
  });

  const lastLines: string[] = [];
  const hear = (line: string): void => {
    const record = parseRecord(line);
    if (record !== undefined) return onLog?.(record);
    if (LIBRARY_NOTICE.test(line)) return;
    lastLines.push(line.slice(0, LINE_LENGTH_MAX));
    if (lastLines.length > LAST_LINES_MAX) lastLines.shift();
  };
  // There is no such stream where no more files may be opened, whatever its type says.
  if (child.stderr) createInterface({ input: child.stderr }).on("line", hear);

  const exited = new Promise<ChildExit>((resolve) => {
    const settle = (exit: ChildExit): void => {
      clearTimeout(startTimer);
      alive.delete(child);
      if (alive.size === 0) process.off("exit", killAll);
      resolve(exit);
    };
    child.once("error", (error) =>
      settle({ ok: false, code: null, reason: `It could not be started: ${reasonOf(error)}.` }),
    );
    child.once("close", (code, signal) => {
      const said = lastLines.join("\n").trim();
      const how = overdue ? `It did not start within ${startMs / 1_000} s. ${FEW_THREADS}` : describeEnd(code, signal);
      const why = signal !== null && NO_MEMORY.test(said) ? OUT_OF_MEMORY : said;
      settle({ ok: code === 0, code, reason: why === "" ? how : why });
    });
  });

  return {
    processId: child.pid,
    exited,
    async stop(graceMs) {
      child.kill("SIGTERM");
      const overdue = setTimeout(() => child.kill("SIGKILL"), graceMs);
      const exit = await exited;
      clearTimeout(overdue);
      return exit;
    },
    kill: () => void child.kill("SIGKILL"),
    send,
  };
}

function killAll(): void {
  for (const child of alive) child.kill("SIGKILL");
}

function parseRecord(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/**
 * Found among the lines that C++ or V8 prints when it aborts a process because memory ran out. A process that has caught the
 * error ends without a signal, and its own sentence, which may quote it, says more.
 */
const NO_MEMORY = /\bstd::bad_alloc\b|JavaScript heap out of memory/;
const OUT_OF_MEMORY =
  "It ran out of memory, which ended it: give it more, or take a smaller microBatchSize or fewer --compute-threads.";

const FEW_THREADS = "The system may give it too few threads: raise ulimit -u, or the container's limit.";

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === "SIGKILL") return "It was killed (SIGKILL): by someone, or by the system for lack of memory.";
  if (signal === "SIGABRT") return `It was ended by SIGABRT. ${FEW_THREADS}`;
  if (signal !== null) return `It was ended by ${signal}.`;
  return code === 0 ? "It has ended." : `It ended with exit code ${code}.`;
}
