/**
 * Real processes of the command line, to be killed. Each program that a test starts leads a process group, to which
 * the workers and shards that it starts itself belong: so one signal kills a whole cluster, and any process that a
 * program leaves behind is found.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));
const POLL_MS = 5;
/** Patience for a machine that is busy with other things. */
const PATIENCE_MS = 120_000;

export interface Program {
  readonly processId: number;
  /** The program's exit; undefined while it runs. */
  readonly exit: Exit | undefined;
  readonly exited: Promise<Exit>;
  /** Its output so far, on both streams. */
  readonly output: string;
  signal(signal: NodeJS.Signals): void;
  /** Sends `kill -9` to it and everything that it has started, all at once. */
  killAll(): void;
  /** The live processes that it has started. */
  children(): ChildOfProgram[];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOfProgram {
  readonly processId: number;
  readonly commandLine: string;
}

/** A folder with a task in it, and the programs that a test runs on it. */
export interface Scene {
  readonly task: string;
  /** The run directory. */
  readonly out: string;
  start(args: readonly string[], variables?: NodeJS.ProcessEnv): Program;
}

/**
 * Calls `use` with a new scene, and ends all of its programs afterwards.
 * @param out the run directory; by default one in the scene's folder
 */
export async function withScene<T>(task: object, use: (scene: Scene) => Promise<T>, out?: string): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-faults-"));
  const programs: Program[] = [];
  const file = join(folder, "faults.json");
  writeFileSync(file, JSON.stringify(task));
  try {
    return await use({
      task: file,
      out: out ?? join(folder, "run"),
      start(args, variables = {}) {
        const program = startProgram(args, variables);
        programs.push(program);
        return program;
      },
    });
  } finally {
    for (const program of programs) program.killAll();
    await Promise.all(programs.map(({ exited }) => exited));
    rmSync(folder, { recursive: true, force: true });
  }
}

function startProgram(args: readonly string[], variables: NodeJS.ProcessEnv): Program {
  const child = spawn(process.execPath, [MAIN, ...args], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    // Bits are compared with those of wasm, so no TensorFlow of this machine may be used.
    env: { ...process.env, ISOBATCH_TENSORFLOW: "/nonexistent/no-tensorflow", NO_COLOR: "1", ...variables },
  });
  const group = child.pid!;
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  let exit: Exit | undefined;
  const exited = whenClosed(child).then((how) => (exit = how));
  return {
    processId: group,
    get exit() {
      return exit;
    },
    exited,
    get output() {
      return output;
    },
    signal: (signal) => child.kill(signal),
    killAll() {
      if (processesOf(group).length > 0) process.kill(-group, "SIGKILL");
    },
    children: () => processesOf(group).filter(({ processId }) => processId !== group),
  };
}

function whenClosed(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
}

/** The live processes of a group; a zombie counts as dead. */
function processesOf(group: number): ChildOfProgram[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      // After the program's name in parentheses: state, parent, group.
      const [state, , itsGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(itsGroup) !== group || state === "Z" || state === "X") return [];
      const commandLine = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      return [{ processId: Number(name), commandLine }];
    } catch {
      // It has ended since.
      return [];
    }
  });
}

/**
 * Waits for a condition.
 * @param during programs that must keep running meanwhile
 * @throws with their output, if the condition does not come true
 */
export async function until(condition: () => boolean, what: string, during: readonly Program[] = []): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  const outputs = (): string => during.map(({ output }) => output.slice(-2_000)).join("\n---\n");
  while (!condition()) {
    const ended = during.find(({ exit }) => exit !== undefined);
    if (ended !== undefined) {
      throw new Error(`${what}: not before a program ended (${JSON.stringify(ended.exit)}).\n${outputs()}`);
    }
    if (performance.now() > end) throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s.\n${outputs()}`);
    await sleep(POLL_MS);
  }
}

/** The processes that a program has started for one of its roles, e.g. "worker.js" or "shard.js 1". */
export function childrenAs(program: Program, role: string): number[] {
  return program
    .children()
    .filter(({ commandLine }) => commandLine.includes(role))
    .map(({ processId }) => processId);
}
