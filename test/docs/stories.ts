// `npm run test:docs`: types what the documentation says, page by page, as somebody would who reads it. Runs are made
// short (`--steps`), addresses and tokens are those of the server at hand, and everything else is typed as it stands.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
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
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { CHECKED_ELSEWHERE } from "./checked-elsewhere.test.helper.js";
import { codeIn, commandsOf, PAGES, ROOT, read } from "./markdown.test.helper.js";

const COMMAND_MS_MAX = 180_000;
/** So many documented steps are one here, of two at least. */
const STEPS_SHARE = 150;
/** By its address, or by the run directory that it serves. */
const ASKS_A_SERVER = /127\.0\.0\.1:7400|^isobatch (status|stop|checkpoint|drain) /;
/** A server is asked to stop: it must not end before. */
const SERVED_STEPS = 1_000_000;

interface Terminal {
  readonly child: ChildProcess;
  readonly text: string;
  /** Standard output and error. */
  readonly output: () => string;
  readonly printed: () => string;
  readonly ended: Promise<number | null>;
}

/** A reader's machine: a folder, a shell in it, and what runs in other terminals meanwhile. */
function openDesk(page: string) {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-docs-"));
  const bin = join(folder, ".bin");
  mkdirSync(bin);
  const program = join(bin, "isobatch");
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, "dist/cli/main.js")}' "$@"\n`);
  chmodSync(program, 0o755);
  // As after `npm install isobatch`, and a copy of the examples.
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "isobatch"));
  symlinkSync(join(ROOT, "node_modules", "@tensorflow"), join(folder, "node_modules", "@tensorflow"));
  cpSync(join(ROOT, "examples"), folder, { recursive: true });

  const { ISOBATCH_TOKEN, ISOBATCH_LOG, ...inherited } = process.env;
  const env = {
    ...inherited,
    PATH: `${bin}:${inherited.PATH}`,
    ISOBATCH_TENSORFLOW: join(folder, "no-tensorflow"),
  };
  let server: (Terminal & { readonly address: string; readonly token: string; readonly out: string }) | undefined;
  const workers: Terminal[] = [];

  const type = (text: string): Terminal => {
    const child = spawn("bash", ["-c", `set -e\n${text}`], {
      cwd: folder,
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
  const run = (text: string): Promise<void> => finish(type(text));

  const stopServer = async (): Promise<void> => {
    if (server === undefined) return;
    const stopped = server;
    server = undefined;
    // Workers come to the end of the step, and the run ends for them too. On SIGTERM they would wait for a server.
    if (workers.length > 0) await run(`isobatch stop ${stopped.address} --run ${stopped.out}`);
    else signal(stopped, "SIGTERM");
    await finish(stopped);
    for (const worker of workers.splice(0)) await finish(worker);
  };

  const startServer = async (text: string): Promise<void> => {
    await stopServer();
    const short = text.replace(/--listen \S+/, "");
    const terminal = type(`exec ${short} --listen 127.0.0.1:0 --steps ${SERVED_STEPS}`);
    // After the first start the token's file is named instead.
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

  /** Those who ask a server have one, with a worker, as the page before has told. */
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

  /** Runs that a page takes for granted. */
  const ensureRuns = async (text: string): Promise<void> => {
    for (const [, out] of text.matchAll(/(?<!--out )\b(runs\/[\w-]+)/g)) {
      if (/--run |server |token-file/.test(text) || existsSync(join(folder, out))) continue;
      await run(`isobatch run mnist --steps 2 --workers 1 --out ${out}`);
    }
  };

  return {
    folder,
    async perform(text: string): Promise<void> {
      if (/^isobatch server /.test(text)) return startServer(text);
      if (ASKS_A_SERVER.test(text)) {
        await ensureServer(text);
        const { token, address } = server!;
        let command = text.replaceAll("127.0.0.1:7400", address).replace("ISOBATCH_TOKEN=…", `ISOBATCH_TOKEN=${token}`);
        if (/ worker join /.test(command)) return join_(command);
        if (/^isobatch drain /.test(command)) {
          if ((await workerNames()).length === 0)
            await join_(`ISOBATCH_TOKEN=${token} isobatch worker join ${address}`);
          command = command.replace("gpu-server-1", (await workerNames())[0]);
        }
        await run(command);
        if (!/^isobatch stop /.test(command)) return;
        // It may need a worker to come to the end of its step.
        if (workers.length === 0) workers.push(type(`ISOBATCH_TOKEN=${token} isobatch worker join ${address} || true`));
        await finish(server!);
        server = undefined;
        for (const worker of workers.splice(0)) await finish(worker);
        return;
      }
      await ensureRuns(text);
      await run(shortened(text));
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

/** Steps are a small share of those that are documented; what has a length of its own gets a short one. */
function shortened(text: string): string {
  if (text === "npm start") return `npm --prefix '${ROOT}' start -- --steps 2 --out "$PWD/runs/mnist"`;
  if (/^isobatch experiment elastic/.test(text)) return `${text} --workers 1,2 --arms invariant-linear --samples 8192`;
  if (!/^isobatch run /.test(text)) return text;
  // How many samples a step has is not known before where κ follows the workers.
  if (/\/worker/.test(text)) return `${text} --samples 512`;
  const [, steps] = /--steps (\d+)/.exec(text) ?? [];
  const short = `--steps ${steps === undefined ? 2 : Math.max(2, Math.round(Number(steps) / STEPS_SHARE))}`;
  return steps === undefined ? `${text} ${short}` : text.replace(/--steps \d+/, short);
}

const words = (process.env.ISOBATCH_TEST_PAGES ?? "").split(" ");

describe("what the documentation says", { concurrency: 1 }, () => {
  for (const page of PAGES.filter((name) => words.some((word) => name.includes(word)))) {
    const commands = commandsOf(page).filter(({ text }) => !CHECKED_ELSEWHERE.some((each) => each.commands.test(text)));
    if (commands.length === 0) continue;
    describe(page, { concurrency: 1 }, () => {
      const desk = openDesk(page);
      after(() => desk.clear());
      for (const { line, text } of commands) {
        it(`line ${line}: ${text.split("\n").at(-1) === text ? text : text.split("\n")[0]}`, () => desk.perform(text));
      }
      it("and all that was started ends in order", () => desk.close());
      if (page !== "docs/tutorials/getting-started.md") return;
      it("and docs/reference/run-directory.md tells every field of what the run has left", () => {
        const told = new Set(codeIn(read("docs/reference/run-directory.md")));
        const run = join(desk.folder, "runs/first");
        const lines = ["metrics.jsonl", "ledger.jsonl"].flatMap((file) =>
          readFileSync(join(run, file), "utf8")
            .trim()
            .split("\n")
            .map((json) => JSON.parse(json) as Record<string, unknown>),
        );
        const summary = JSON.parse(readFileSync(join(run, "summary.json"), "utf8")) as Record<string, unknown>;
        const identity = JSON.parse(readFileSync(join(run, "run.json"), "utf8")) as Record<string, unknown>;
        const fields = [...lines, summary, identity].flatMap((object) => [
          ...Object.keys(object),
          ...Object.keys(object.ms ?? {}),
          ...(object.type === "event" ? [String(object.event)] : []),
        ]);
        const missing = [...new Set(fields)].filter((field) => !told.has(field));
        // Where `type` itself is told, its value stands beside it.
        assert.deepEqual(
          missing.filter((field) => field !== "type"),
          [],
        );
        assert.ok(lines.length > 4);
      });
    });
  }
});
