/** Changes that a test makes to its machine, all of which are undone afterwards. */
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** The checkout's root folder. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../../..");

/** The cache for what is made once and kept between runs: binaries, the base image, the layers of images. */
export const CACHE = process.env.ISOBATCH_DEPLOY_CACHE || join(homedir(), ".cache", "isobatch-deploy");

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs a program to its end; resolves with its standard output, rejects with its error output. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { cwd = ROOT, env = {}, input, timeoutMs = 600_000 } = options;
  return new Promise((done, fail) => {
    const child = execFile(
      command,
      [...args],
      { cwd, env: { ...process.env, ...env }, timeout: timeoutMs, maxBuffer: 1e9, killSignal: "SIGKILL" },
      (error, stdout, stderr) => {
        if (error === null) return done(stdout);
        const said = `${stderr}\n${stdout}`.trim().split("\n").slice(-30).join("\n");
        fail(
          new Error(
            `${command} ${args.join(" ")}: ${error.killed ? "took too long" : `exit code ${error.code}`}\n${said}`,
          ),
        );
      },
    );
    // If a program ends without reading its input, its exit code says enough.
    child.stdin?.on("error", () => {}).end(input ?? "");
  });
}

/** The error of a wait whose condition can no longer come true. */
export class InVain extends Error {}

/**
 * Asks repeatedly until the answer is neither undefined nor false; if it times out, the error says what it waited for.
 * An error counts as no answer, except for `InVain`, which ends the wait.
 */
export async function until<Answer>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<Answer | undefined | false>,
): Promise<Answer> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      if (error instanceof InVain) throw error;
      last = error;
    }
    if (performance.now() > end) throw new Error(`waited ${timeoutMs / 1_000} s for ${what}`, { cause: last });
    await sleep(500);
  }
}

export interface Host {
  /** A folder for this run only. */
  readonly folder: string;
  /** Registers a step for the end; the newest runs first, and one that fails is reported and stops no other. */
  atEnd(what: string, action: () => Promise<unknown> | unknown): void;
  /** Starts a program that runs until the end, with its output in a file of the folder. */
  daemon(name: string, command: string, args: readonly string[], env?: Readonly<Record<string, string>>): number;
  /** The last part of such a file. */
  log(name: string): string;
  end(): Promise<void>;
}

const GRACE_MS = 15_000;

export function openHost(): Host {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-deploy-"));
  mkdirSync(join(folder, "log"));
  const actions: { what: string; action: () => Promise<unknown> | unknown }[] = [];
  let ending: Promise<void> | undefined;
  const end = (): Promise<void> => {
    ending ??= (async () => {
      for (const { what, action } of actions.splice(0).reverse()) {
        try {
          await action();
        } catch (error) {
          console.error(`test:deploy: ${what}: ${error instanceof Error ? error.message : error}`);
        }
      }
      rmSync(folder, { recursive: true, force: true });
    })();
    return ending;
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void end().finally(() => process.exit(1)));
  }
  return {
    folder,
    end,
    atEnd: (what, action) => void actions.push({ what, action }),
    daemon(name, command, args, env = {}) {
      const file = openSync(join(folder, "log", `${name}.log`), "a");
      const child = spawn(command, [...args], {
        cwd: folder,
        env: { ...process.env, ...env },
        stdio: ["ignore", file, file],
        detached: true,
      });
      const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()).once("error", () => resolve()));
      actions.push({
        what: `end ${name}`,
        action: async () => {
          child.kill("SIGTERM");
          const late = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
          await exited;
          clearTimeout(late);
        },
      });
      return child.pid ?? 0;
    },
    log(name) {
      return readFileSync(join(folder, "log", `${name}.log`), "utf8").slice(-4_000);
    },
  };
}

/** Restores kernel settings at the end to what they are now. */
export async function keepSysctls(host: Host, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const value = (await run("sysctl", ["-n", name])).trim();
    host.atEnd(`restore ${name}`, () => run("sysctl", ["-qw", `${name}=${value}`]));
  }
}
