import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { reasonOf } from "../../../shared/system-errors.js";

/** How a program has ended. */
export interface Ended {
  /** Its exit code; null if a signal ended it or it could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  /** The last lines it wrote to standard error. */
  readonly stderr: string;
  /** Why it could not be started at all. */
  readonly startError: string | undefined;
}

export interface RunProgramOptions {
  readonly signal?: AbortSignal;
  /** Its whole environment. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Called with each line of its output as it arrives. */
  readonly onLine?: (line: string) => void;
}

const STDERR_LINES_MAX = 40;
const STDOUT_CHARACTERS_MAX = 1_000_000;

/** Runs a program to its end; never rejects. When `signal` aborts, the program and all that it started are killed. */
export function runProgram(command: string, args: readonly string[], options: RunProgramOptions): Promise<Ended> {
  const { signal, env, onLine } = options;
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve({ code: null, stdout: "", stderr: "", startError: "stopped" });
    // Its own process group, so that the children of a compiler or pip are killed with it.
    const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const stdout: string[] = [];
    const stderr: string[] = [];
    let characters = 0;
    let startError: string | undefined;
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has already ended.
      }
    };
    const exiting = (): void => kill();
    process.once("exit", exiting);
    signal?.addEventListener("abort", kill, { once: true });
    const end = (code: number | null): void => {
      process.off("exit", exiting);
      signal?.removeEventListener("abort", kill);
      resolve({ code, stdout: stdout.join("\n"), stderr: stderr.join("\n"), startError });
    };
    child.once("error", (error) => {
      startError = reasonOf(error);
      // If no more files may be opened, there are no streams, and so no "close" event.
      if (!child.stdout) end(null);
    });
    child.once("close", end);
    if (!child.stdout || !child.stderr) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      characters += line.length;
      if (characters <= STDOUT_CHARACTERS_MAX) stdout.push(line);
      onLine?.(line);
    });
    createInterface({ input: child.stderr }).on("line", (line) => {
      stderr.push(line);
      if (stderr.length > STDERR_LINES_MAX) stderr.shift();
      onLine?.(line);
    });
  });
}
