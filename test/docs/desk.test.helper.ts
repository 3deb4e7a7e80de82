/** A reader's machine: a folder, a shell in it, and the servers and workers that run in other terminals meanwhile. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type DocumentedCommand, INSTALLING_PAGE, ROOT } from "./markdown.test.helper.js";

const COMMAND_MS_MAX = 240_000;
/** A test runs one step for this many documented ones, and at least two. */
const STEPS_SHARE = 150;
/** By its address, or by the run directory that it serves. */
const ASKS_A_SERVER = /127\.0\.0\.1:7400|^isobatch (status|stop|checkpoint|drain) /;
/** The run must not end before the page stops its server. */
const SERVED_STEPS = 1_000_000;

interface Terminal {
  readonly child: ChildProcess;
  readonly text: string;
  /** Standard output and error. */
  readonly output: () => string;
  readonly printed: () => string;
  readonly ended: Promise<number | null>;
}

interface Server extends Terminal {
  readonly address: string;
  readonly token: string;
  readonly out: string;
}

export interface Desk {
  /** The folder that the reader is in: `cd` stays in force from one command to the next. */
  cwd(): string;
  /** The package that the page has installed. */
  packageRoot(): string;
  perform(command: DocumentedCommand): Promise<void>;
  /** Stops what still runs, and checks that it ends without an error. */
  close(): Promise<void>;
  /** Kills what still runs, and removes the folder. */
  clear(): void;
}

/** The files of the checkout as a clone of it would have them, changes that are not committed included. */
function cloneCheckout(target: string): void {
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  for (const file of files.split("\0").filter((name) => name !== "" && existsSync(join(ROOT, name)))) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(ROOT, file), join(target, file));
  }
}

/** The state of a machine after the installing page: `isobatch` on the path, and the examples at hand. */
function install(folder: string, bin: string, packageRoot: string): void {
  const program = join(bin, "isobatch");
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(packageRoot, "dist/cli/main.js")}' "$@"\n`);
  chmodSync(program, 0o755);
  cpSync(join(ROOT, "examples"), join(folder, "examples"), { recursive: true });
}

/** What `npm install` in a folder makes importable there, by links. @returns whether it is such a command */
function linkPackages(text: string, folder: string, packageRoot: string): boolean {
  const modules = join(folder, "node_modules");
  const link = (target: string, name: string): true => {
    mkdirSync(modules, { recursive: true });
    symlinkSync(target, join(modules, name));
    return true;
  };
  if (text === "npm install ./isobatch-*.tgz") return link(packageRoot, "isobatch");
  if (/^npm install @tensorflow\/tfjs@[\d.]+$/.test(text)) {
    return link(join(ROOT, "node_modules", "@tensorflow"), "@tensorflow");
  }
  return false;
}

/**
 * The commands of the installing page make a checkout and put `isobatch` on the path; for other pages both are done.
 * @param packageRoot the installed package, which is the checkout if the installing page is not among those that are typed
 */
export function openDesk(page: string, packageRoot = ROOT): Desk {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-docs-"));
  const prefix = join(folder, ".npm");
  const bin = join(prefix, "bin");
  mkdirSync(bin, { recursive: true });
  if (page !== INSTALLING_PAGE) install(folder, bin, packageRoot);

  const { ISOBATCH_TOKEN, ISOBATCH_LOG, ...inherited } = process.env;
  const env = {
    ...Object.fromEntries(Object.entries(inherited).filter(([name]) => !/^npm_/i.test(name))),
    PATH: `${bin}:${inherited.PATH}`,
    ISOBATCH_TENSORFLOW: join(folder, "no-tensorflow"),
    npm_config_prefix: prefix,
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
  };
  let cwd = folder;
  let server: Server | undefined;
  const workers: Terminal[] = [];

  const type = (text: string): Terminal => {
    const child = spawn("bash", ["-c", `set -e\n${text}`], {
      cwd,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [output, printed] = ["", ""];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (part: string) => {
        output += part;
        if (stream === child.stdout) printed += part;
      });
    }
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    return { child, text, output: () => output, printed: () => printed, ended };
  };
  const signal = ({ child }: Terminal, name: NodeJS.Signals): void => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      // It has ended.
    }
  };
  const finish = async (terminal: Terminal): Promise<void> => {
    const overdue = setTimeout(() => signal(terminal, "SIGKILL"), COMMAND_MS_MAX);
    const code = await terminal.ended;
    clearTimeout(overdue);
    assert.equal(code, 0, `${page}: ${terminal.text}\n${terminal.output()}`);
  };
  const run = async (text: string): Promise<Terminal> => {
    const place = join(folder, ".cwd");
    const terminal = type(`${text}\npwd > '${place}'`);
    await finish(terminal);
    cwd = readFileSync(place, "utf8").trim();
    return terminal;
  };

  const stopServer = async (): Promise<void> => {
    if (server === undefined) return;
    const stopped = server;
    server = undefined;
    // On `stop` workers finish the step and end with the run. On SIGTERM they would wait for a server.
    if (workers.length > 0) await run(`isobatch stop ${stopped.address} --run ${stopped.out}`);
    else signal(stopped, "SIGTERM");
    await finish(stopped);
    for (const worker of workers.splice(0)) await finish(worker);
  };

  const startServer = async (text: string): Promise<void> => {
    await stopServer();
    const short = text.replace(/--listen \S+/, "");
    const terminal = type(`exec ${short} --listen 127.0.0.1:0 --steps ${SERVED_STEPS}`);
    // From the second start on, the line names the token's file instead.
    const line = /ISOBATCH_TOKEN=(\$\(cat [^)]*\)|\S+) isobatch worker join (\S+)/;
    const deadline = performance.now() + COMMAND_MS_MAX;
    while (!line.test(terminal.output())) {
      assert.ok(
        terminal.child.exitCode === null && performance.now() < deadline,
        `${page}: ${text}\n${terminal.output()}`,
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const [, token, address] = line.exec(terminal.output())!;
    const [, out = `runs/${/server (\S+)/.exec(text)![1]}`] = /--out (\S+)/.exec(text) ?? [];
    server = { ...terminal, token, address, out };
  };

  /** For commands of a page that takes a running server for granted. */
  const ensureServer = async (text: string): Promise<void> => {
    const [, out = "runs/shared"] = /--run (\S+)/.exec(text) ?? /token-file (\S+)\/token/.exec(text) ?? [];
    if (server === undefined) await startServer(`isobatch server mnist --out ${out}`);
  };

  const join_ = async (text: string): Promise<void> => {
    const before = new Set(await workerNames());
    workers.push(type(text));
    const deadline = performance.now() + COMMAND_MS_MAX;
    while ((await workerNames()).every((name) => before.has(name))) {
      const { child, output } = workers.at(-1)!;
      assert.ok(child.exitCode === null && performance.now() < deadline, `${page}: ${text}\n${output()}`);
    }
  };

  const workerNames = async (): Promise<string[]> => {
    const terminal = type(`isobatch status ${server!.address} --run ${server!.out} --json`);
    await finish(terminal);
    return (JSON.parse(terminal.printed()) as { workers: { id: string }[] }).workers.map(({ id }) => id);
  };

  /** For commands of a page that takes a finished run for granted. */
  const ensureRuns = async (text: string): Promise<void> => {
    if (text === "isobatch runs" && !existsSync(join(cwd, "runs"))) return ensureRuns("runs/first");
    for (const [, out] of text.matchAll(/(?<!--out |out: ")\b(runs\/[\w-]+)/g)) {
      if (/--run |server |token-file/.test(text) || existsSync(join(cwd, out))) continue;
      await run(`isobatch run mnist --steps 2 --workers 1 --out ${out}`);
    }
  };

  const askServer = async (text: string): Promise<void> => {
    await ensureServer(text);
    const { token, address } = server!;
    let command = text.replaceAll("127.0.0.1:7400", address).replace("ISOBATCH_TOKEN=…", `ISOBATCH_TOKEN=${token}`);
    if (/ worker join /.test(command)) return join_(command);
    if (/^isobatch drain /.test(command)) {
      if ((await workerNames()).length === 0) await join_(`ISOBATCH_TOKEN=${token} isobatch worker join ${address}`);
      command = command.replace("gpu-server-1", (await workerNames())[0]);
    }
    await run(command);
    if (!/^isobatch stop /.test(command)) return;
    // It may need a worker to come to the end of its step.
    if (workers.length === 0) workers.push(type(`ISOBATCH_TOKEN=${token} isobatch worker join ${address} || true`));
    await finish(server!);
    server = undefined;
    for (const worker of workers.splice(0)) await finish(worker);
  };

  return {
    cwd: () => cwd,
    packageRoot: () => join(prefix, "lib/node_modules/isobatch"),
    async perform({ text, percentMin }) {
      if (page !== INSTALLING_PAGE && linkPackages(text, cwd, packageRoot)) return;
      assert.ok(
        page === INSTALLING_PAGE || !/\bnpm (ci|i|install|link) /.test(text),
        `${page}: ${text} would change links`,
      );
      if (/^git clone /.test(text)) return cloneCheckout(join(cwd, "isobatch"));
      if (/^isobatch server /.test(text)) return startServer(text);
      if (ASKS_A_SERVER.test(text)) return askServer(text);
      await ensureRuns(text);
      if (percentMin === undefined) return void (await run(shortened(text, page)));
      const { printed } = await run(text);
      const [, percent] = /^ *accuracy +([\d.]+) %$/m.exec(printed()) ?? [];
      assert.ok(Number(percent) >= percentMin, `${page} says at least ${percentMin} %: ${text}\n${printed()}`);
    },
    async close() {
      await stopServer();
    },
    clear() {
      for (const terminal of [server, ...workers]) if (terminal !== undefined) signal(terminal, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The command with a small share of the documented steps; a command whose length is not in steps gets a short one. */
function shortened(documented: string, page: string): string {
  const text = documented.replace("--http 127.0.0.1:7401", "--http 127.0.0.1:0");
  if (text === "npm start") {
    const checkout = page === INSTALLING_PAGE ? "" : `--prefix '${ROOT}'`;
    return `npm ${checkout} start -- --steps 2 --out "$PWD/runs/mnist"`;
  }
  if (/^isobatch experiment elastic/.test(text)) return `${text} --workers 1,2 --arms invariant-linear --samples 8192`;
  if (!/^isobatch (run|train) /.test(text)) return text;
  // Where κ follows the workers, the number of samples of a step is not known in advance.
  if (/\/worker/.test(text)) return `${text} --samples 512`;
  const [, steps] = /--steps (\d+)/.exec(text) ?? [];
  const short = `--steps ${steps === undefined ? 2 : Math.max(2, Math.round(Number(steps) / STEPS_SHARE))}`;
  return steps === undefined ? `${text} ${short}` : text.replace(/--steps \d+/, short);
}
