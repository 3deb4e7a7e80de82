import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { began, span, traceThread } from "./index.js";

interface Line {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly args: { readonly name?: string };
}

const PROGRAM = fileURLToPath(new URL("./traced-program.test.helper.js", import.meta.url));

/** The time limit of a program that should have ended long before. */
const LIMIT = { timeout: 30_000, killSignal: "SIGKILL" } as const;

describe("a trace", { timeout: 60_000 }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "isobatch-trace-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const start = (path: string, ...words: string[]) =>
    spawn(process.execPath, [PROGRAM, path, ...words], { ...LIMIT, stdio: ["ignore", "pipe", "inherit"] });
  /** What both threads have recorded, with their names. */
  const check = (lines: readonly Line[], pid: number | undefined): void => {
    const name = (tid: number) => lines.find((line) => line.name === "thread_name" && line.tid === tid)?.args.name;
    const recorded = lines.filter(({ ph }) => ph === "X" || ph === "b");
    assert.deepEqual(recorded.map((line) => [line.name, name(line.tid), line.pid]).sort(), [
      ["backend", "thread", pid],
      ["start", "main", pid],
    ]);
    assert.equal(lines.find((line) => line.name === "process_name")?.args.name, "program");
  };

  it("costs and keeps nothing while there is none", () => {
    assert.equal(began(), 0);
    span("start", 0);
    assert.equal(traceThread("thread"), undefined);
  });

  it("is whole when the process ends, also by process.exit", async () => {
    const path = join(folder, "ended");
    const program = start(path, "now");
    await once(program, "close");
    check(JSON.parse(readFileSync(path, "utf8")), program.pid);
  });

  it("has everything up to a kill, of a thread that is inside a call too, on the machine's monotonic clock", async () => {
    const path = join(folder, "killed");
    const startedAt = process.hrtime.bigint();
    const program = start(path);
    const [printed] = await once(program.stdout, "data");
    const deadline = performance.now() + 10_000;
    const text = (): string => readFileSync(path, "utf8");
    while (!text().includes('"backend"')) {
      assert.ok(performance.now() < deadline, "the thread's event was not written");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    program.kill("SIGKILL");
    await once(program, "close");
    const lines: Line[] = JSON.parse(`${text().replace(/,\n$/, "")}]`);
    check(lines, program.pid);
    const { ts } = lines.find(({ name }) => name === "backend")!;
    const [earliest, latest] = [startedAt, BigInt(String(printed).trim())].map((ns) => Number(ns) / 1e3);
    assert.ok(ts >= earliest && ts <= latest, `${earliest} ≤ ${ts} ≤ ${latest}`);
  });
});
