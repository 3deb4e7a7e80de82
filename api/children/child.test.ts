import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Child, startChild } from "./child.js";

describe("startChild()", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "isobatch-child-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const scriptOf = (name: string, source: string): URL => {
    const path = join(folder, `${name}.mjs`);
    writeFileSync(path, source);
    return pathToFileURL(path);
  };
  /** A child that runs `source`, and a promise of its first log record. */
  const start = (name: string, source: string): { child: Child; record: Promise<Record<string, unknown>> } => {
    let resolve: (record: Record<string, unknown>) => void;
    const record = new Promise<Record<string, unknown>>((settle) => {
      resolve = settle;
    });
    const child = startChild({ program: scriptOf(name, source), order: {}, onLog: (r) => resolve(r) });
    return { child, record };
  };
  const ready = 'console.error(JSON.stringify({ msg: "ready" }));';
  const linger = "setInterval(() => {}, 1000);";

  it("distinguishes a child that ended well from one that did not", async () => {
    const well = await start("well", "").child.exited;
    assert.deepEqual([well.ok, well.code], [true, 0]);
    const badly = await start("badly", "process.exit(3)").child.exited;
    assert.deepEqual([badly.ok, badly.code, badly.reason], [false, 3, "It ended with exit code 3."]);
  });

  it("gives the child's own sentence as the reason, and not its log", async () => {
    const source = `${ready} console.error("The disk is full."); process.exitCode = 1;`;
    const { child, record } = start("sentence", source);
    assert.equal((await record).msg, "ready");
    assert.equal((await child.exited).reason, "The disk is full.");
  });

  it("leaves out of the reason what TensorFlow says when it is loaded", async () => {
    const notices = [
      "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
      "I0000 00:00:1795655156.105355   29048 port.cc:153] oneDNN custom operations are on.",
    ];
    const says = [...notices, "E0000 00:00:1795655156.1 9 gpu.cc:1] out of memory"];
    const source = `for (const line of ${JSON.stringify(says)}) console.error(line); process.exitCode = 1;`;
    assert.equal((await start("notices", source).child.exited).reason, says[2]);
  });

  it("says in one sentence that a child ran out of memory, where C++ and V8 print many lines", async () => {
    const sentence =
      /^It ran out of memory, which ended it: give it more, or take a smaller microBatchSize or fewer --compute-threads\.$/;
    const aborts = `console.error("terminate called after throwing an instance of 'std::bad_alloc'\\n  what():  std::bad_alloc"); process.abort();`;
    assert.match((await start("bad-alloc", aborts).child.exited).reason, sentence);
    const fills = "const all = []; for (;;) all.push(new Array(10_000).fill(0).map(() => ({})));";
    const full = startChild({
      program: scriptOf("full", fills),
      order: {},
      nodeOptions: ["--max-old-space-size=24"],
    });
    assert.match((await full.exited).reason, sentence);
    const says = "microBatchSize is 8, but the backend has no memory for that (std::bad_alloc); 4 fit.";
    const caught = await start("caught", `console.error("${says}"); process.exitCode = 1;`).child.exited;
    assert.deepEqual([caught.ok, caught.reason], [false, says]);
    const well = await start("well-fed", 'console.error("std::bad_alloc");').child.exited;
    assert.deepEqual([well.ok, well.reason], [true, "std::bad_alloc"]);
  });

  it("stops a child that ends on SIGTERM without killing it", async () => {
    const { child, record } = start("ends", `process.on("SIGTERM", () => process.exit(0)); ${ready} ${linger}`);
    await record;
    assert.equal((await child.stop(60_000)).ok, true);
  });

  it("kills a child that ignores SIGTERM once the grace is over", async () => {
    const { child, record } = start("stubborn", `process.on("SIGTERM", () => {}); ${ready} ${linger}`);
    await record;
    const exit = await child.stop(50);
    assert.deepEqual([exit.ok, exit.code], [false, null]);
    assert.match(exit.reason, /SIGKILL/);
  });

  it("ends a child that does not say that it runs, and leaves alone one that does", async () => {
    const silent = startChild({ program: scriptOf("silent", linger), order: {}, startMs: 50 });
    assert.match(
      (await silent.exited).reason,
      /^It did not start within 0\.05 s\. The system may give it too few threads/,
    );
    const follow = `import { followParent } from ${JSON.stringify(new URL("./parent.js", import.meta.url).href)};`;
    const messages: unknown[] = [];
    const running = startChild({
      order: {},
      startMs: 30_000,
      onMessage: (message: unknown) => messages.push(message),
      program: scriptOf("running", `${follow} followParent(); process.send("hello", () => process.exit(0));`),
    });
    assert.equal((await running.exited).ok, true);
    assert.deepEqual(messages, ["hello"]);
  });

  it("says so, as runProgram() does, where no more files may be opened", () => {
    const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const script = scriptOf(
      "full",
      `import { openSync } from "node:fs";
       import { runProgram } from ${module("../../backends/tensorflow/install/run-program.js")};
       import { startChild } from ${module("./child.js")};
       try { for (;;) openSync("/"); } catch {}
       console.log((await startChild({ program: "worker", order: {} }).exited).reason);
       console.log((await runProgram("true", [], { env: {} })).startError);`,
    );
    const { stdout } = spawnSync(
      "sh",
      ["-c", 'ulimit -n 64; exec "$0" "$1"', process.execPath, fileURLToPath(script)],
      {
        encoding: "utf8",
        timeout: 30_000,
      },
    );
    const reason = "this process has the most files open that it may (ulimit -n)";
    assert.deepEqual(stdout.trim().split("\n"), [`It could not be started: ${reason}.`, reason]);
  });

  it("lets no child outlive this process, even after kill -9", { timeout: 30_000 }, async () => {
    const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
    const childScript = scriptOf(
      "orphan",
      `import { followParent } from ${module("./parent.js")}; followParent(); console.error(JSON.stringify({ pid: process.pid })); ${linger}`,
    );
    const parentScript = scriptOf(
      "parent",
      `import { startChild } from ${module("./child.js")};
       startChild({ program: new URL(${JSON.stringify(childScript.href)}), order: {}, onLog: ({ pid }) => console.log(pid) });`,
    );
    const parent = spawn(process.execPath, [fileURLToPath(parentScript)], { stdio: ["ignore", "pipe", "inherit"] });
    const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
    assert.ok(isAlive(pid));
    parent.kill("SIGKILL");
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
