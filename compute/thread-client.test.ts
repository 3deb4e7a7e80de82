import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { HungThreadError } from "./errors.js";
import { batchOf, FORM, openGradients, TASK } from "./gradients/open-gradients.test.helper.js";
import type { ThreadStart } from "./protocol.js";
import { startComputeThread } from "./thread-client.js";
import { patienceFor } from "./watchdog.js";

const script = new URL("./hanging-thread.test.helper.js", import.meta.url);
const leaf = {
  lo: 0,
  hi: 1,
  whole: { lo: 0, hi: 1 },
  microBatches: 1,
  firstMicroBatch: 0,
  apart: false,
  coefficients: undefined,
  slots: [0],
};
const backendSettings = { tensorFlowFolder: "/nonexistent" };
const batch = { number: 0, samples: 0, inputs: new Uint8Array(), labels: new Uint8Array() };

describe("a compute thread that the machine refuses", { timeout: 60_000 }, () => {
  it("is a sentence, not a death that another thread may outlive", async () => {
    const code = 'throw Object.assign(new Error("EAGAIN"), { code: "ERR_WORKER_INIT_FAILED" });';
    const refusing = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
    const patience = patienceFor("cpu", 60_000);
    const start = { thread: 1, backend: "cpu" } as ThreadStart;
    await assert.rejects(startComputeThread({ start, patience, script: refusing, leave: () => assert.fail() }), {
      code: "exhausted",
      message: /^Can't start compute thread 1: the system allows no more threads or open files/,
    });
  });
});

describe("a compute thread that can't load the weights", { timeout: 60_000 }, () => {
  it("computes nothing with those that it has, until others are loaded", async () => {
    const { layout, topology } = await openGradients({ layers: [{ layer: "Dense", units: 3, inputShape: [4] }] });
    // Too small for the weights until it is grown.
    const memories = [new WebAssembly.Memory({ initial: 0, maximum: 65_535, shared: true })];
    const thread = await startComputeThread({
      start: {
        thread: 0,
        threads: 1,
        backend: "wasm",
        backendSettings,
        join: { task: TASK, topology, form: FORM },
        layout,
        memories,
      },
      patience: patienceFor("wasm", 60_000),
      leave: () => assert.fail(),
    });
    try {
      const [loaded, folded] = await Promise.allSettled([thread.ask("load", {}), thread.ask("lease", leaf)]);
      assert.equal(loaded.status, "rejected");
      assert.deepEqual(folded, loaded);
      await assert.rejects(thread.ask("evaluate", { batch: batchOf(0) }), loaded.reason);
      memories[0].grow(8);
      await thread.ask("load", {});
      thread.give(batchOf(0));
      assert.deepEqual((await thread.ask("lease", leaf))?.nodes, [{ lo: 0, hi: 1, slot: 0 }]);
    } finally {
      await thread.close();
    }
  });
});

describe("a compute thread that hangs", { timeout: 60_000 }, () => {
  it("is warned of, given up with what it was at, and ended; one that waits for samples is not", async () => {
    const warnings: string[] = [];
    const start = (thread: number) =>
      startComputeThread({
        start: { thread, backend: "tfjs-node-gpu" } as ThreadStart,
        patience: patienceFor("tfjs-node-gpu", 600),
        lookMs: 10,
        script,
        leave: () => assert.fail(),
        warn: (line) => warnings.push(line),
      });
    const [waiting, thread] = await Promise.all([start(4), start(3)]);
    assert.equal(await thread.ask("load", {}), null);
    const hangs = "Compute thread 3 (tfjs-node-gpu) hangs: a micro-batch's gradient has not finished in 0.6 s.";
    const isHang = (error: unknown): boolean => error instanceof HungThreadError && error.message === hangs;
    const [folding, hanging] = [waiting.ask("lease", leaf), thread.ask("lease", leaf)];
    assert.throws(() => waiting.ask("load", {}), /^Error: Compute thread 4 already computes a lease\.$/);
    thread.give(batch);
    await assert.rejects(hanging, isHang);
    await thread.computed(0);
    await assert.rejects(thread.ask("load", {}), isHang);
    const at = "Compute thread 3 (tfjs-node-gpu) has been at a micro-batch's gradient for 0.3 s";
    assert.deepEqual(warnings, [`${at}; it is given up after 0.6 s.`]);
    assert.equal(await thread.close(), true);
    waiting.give(batch);
    await assert.rejects(folding, /Compute thread 4 .* hangs: a micro-batch's gradient/);
    assert.equal(await waiting.close(), true);
  });

  it("does not keep its process alive if it can't be ended because it, or another thread for it, is inside a native call", {
    skip: process.platform === "win32" && "there are no named pipes in folders",
  }, async () => {
    const place = mkdtempSync(join(tmpdir(), "isobatch-hang-"));
    try {
      const pipe = join(place, "pipe");
      execFileSync("mkfifo", [pipe]);
      const program = fileURLToPath(new URL("./hanging-process.test.helper.js", import.meta.url));
      const cases = [
        ["evaluate", "evaluating a batch"],
        ["join", "joining sums"],
      ];
      await Promise.all(
        cases.map(async ([work, name]) => {
          const child = spawn(process.execPath, [program, pipe, work], { stdio: ["ignore", "pipe", "inherit"] });
          const [said, [code, signal]] = await Promise.all([text(child.stdout), once(child, "close")]);
          const hangs = `Compute thread 0 (wasm) hangs: ${name} has not finished in 0.02 s.`;
          assert.equal(said, `${hangs}\nended: false\n`);
          // Without the addon of an installation it can only kill itself.
          assert.deepEqual([code, signal], [null, "SIGKILL"]);
        }),
      );
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});
