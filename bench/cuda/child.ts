/** Processes that a part starts. They stay in its process group, so they are killed with it. */
import { type ExecFileOptions, execFile } from "node:child_process";

export interface ChildEnded {
  /** Its exit code; null if it was killed or could not be started. */
  readonly code: number | null;
  /** Whether it was killed because its time was up. */
  readonly isLate: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, or until `limitMs` are over; never rejects. */
export function runChild(
  program: string,
  args: readonly string[],
  limitMs: number,
  options: ExecFileOptions = {},
): Promise<ChildEnded> {
  return new Promise((resolve) => {
    const limits = { timeout: Math.max(1, Math.round(limitMs)), killSignal: "SIGKILL", maxBuffer: 2 ** 26 } as const;
    execFile(program, args, { ...options, ...limits, encoding: "utf8" }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
      const said = error !== null && stderr.trim() === "" ? error.message : stderr;
      resolve({ code, isLate: error?.killed ?? false, stdout, stderr: said });
    });
  });
}

/** The last line of a text, without blank lines at its end; empty if there is none. */
export const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
