import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The program as a user runs it: in separate processes, in a temporary folder. */
export interface Workplace {
  readonly folder: string;
  /** The working directory of all processes that are started here. */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  /** Writes a file and returns its path. */
  write(name: string, content: object | string): string;
  /** Starts `isobatch …args` in the folder. */
  start(args: readonly string[], env?: Record<string, string>): Running;
  /** Starts it and waits for its end. */
  run(args: readonly string[], env?: Record<string, string>): Promise<Ended>;
  /** Runs a line of shell in the folder, in which `"$@"` is the program, and waits for its end. */
  shell(line: string): Promise<Ended>;
  /** Ids of all live processes that were started here, directly or not. On Linux only; elsewhere none. */
  processes(): number[];
  /** Ends the live processes and removes the folder. */
  close(): void;
}

export interface Running {
  readonly processId: number;
  /** What it has printed so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves when standard output matches; rejects if the process ends first. */
  until(pattern: RegExp): Promise<void>;
  /** Sends a signal to this process only. */
  kill(signal: NodeJS.Signals): void;
  /** Ctrl-C in a terminal: SIGINT to this process and all that it started. */
  pressCtrlC(): void;
  /** Stops reading standard output. */
  closeOutput(): void;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));
/** A variable in the environment of all processes of a workplace. */
const MARK = "ISOBATCH_TEST_WORKPLACE";

/** MNIST cut down to a hundred steps per tenth of a second, with κ = 4 micro-batches of 16. */
export const TINY_TASK = {
  extends: "mnist",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 8, activation: "relu" },
      { layer: "Dense", units: 10 },
    ],
  },
  dataset: { kind: "mnist", limit: 1_000, testLimit: 200 },
  microBatchSize: 16,
  samples: 1_280,
  learningRate: 0.003,
  schedule: { kind: "constant" },
  evaluateEverySamples: 640,
  checkpointEverySamples: 640,
};

export function openWorkplace(): Workplace {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-cli-"));
  const mark = randomUUID();
  const { ISOBATCH_TOKEN, ISOBATCH_LOG, NO_COLOR, ...inherited } = process.env;
  const children = new Set<ChildProcess>();
  // The user of a workplace has no TensorFlow unless a test says so, even if this machine has one.
  const environment = { ...inherited, ISOBATCH_TENSORFLOW: join(folder, "no-tensorflow"), [MARK]: mark };

  const start: Workplace["start"] = (args, env) => spawnHere(process.execPath, [MAIN, ...args], env);

  const spawnHere = (command: string, args: readonly string[], env: Record<string, string> = {}): Running => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...environment, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // In its own process group, as in a shell.
      detached: true,
    });
    children.add(child);
    const output = { stdout: "", stderr: "" };
    const waiting = new Set<() => void>();
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
        for (const check of waiting) check();
      });
    }
    const ended = new Promise<Ended>((resolve) => {
      child.once("close", (code) => {
        children.delete(child);
        resolve({ code, ...output });
      });
    });
    return {
      processId: child.pid!,
      output,
      ended,
      until: (pattern) =>
        new Promise((resolve, reject) => {
          const check = (): void => {
            if (!pattern.test(output.stdout)) return;
            waiting.delete(check);
            resolve();
          };
          waiting.add(check);
          check();
          void ended.then(() => {
            const { stdout, stderr } = output;
            reject(new assert.AssertionError({ message: `ended before ${pattern}:\n${stdout}\n${stderr}` }));
          });
        }),
      kill: (signal) => void child.kill(signal),
      closeOutput: () => void child.stdout.destroy(),
      pressCtrlC: () => process.kill(-child.pid!, "SIGINT"),
    };
  };

  return {
    folder,
    environment,
    start,
    run: (args, env) => start(args, env).ended,
    shell: (line) => spawnHere("sh", ["-c", line, "sh", process.execPath, MAIN]).ended,
    write(name, content) {
      const path = join(folder, name);
      writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
      return path;
    },
    processes: () => processesWith(`${MARK}=${mark}`),
    close() {
      for (const child of children) child.kill("SIGKILL");
      for (const pid of processesWith(`${MARK}=${mark}`)) process.kill(pid, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function processesWith(variable: string): number[] {
  if (process.platform !== "linux") return [];
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(variable);
    } catch {
      return false;
    }
  });
}

/** Ids of the live processes that a process has started. On Linux only; elsewhere none. */
export function childrenOf(processId: number): number[] {
  if (process.platform !== "linux") return [];
  const children = readFileSync(`/proc/${processId}/task/${processId}/children`, "utf8").trim();
  return children === "" ? [] : children.split(" ").map(Number);
}

export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when no process of the workplace is alive. */
export async function untilQuiet(workplace: Workplace): Promise<void> {
  while (workplace.processes().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}
