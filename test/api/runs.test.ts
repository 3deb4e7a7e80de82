// Runs that a program starts through the public API: several at once, stopped, resumed, and used.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { after, before, describe, it } from "node:test";
import { trainInProcess } from "../../experiment/index.js";
import { loadRun, predict, train } from "../../index.js";
import { openData, prepareTask, resolveDefinition } from "../../tasks/index.js";
import { pairsTask as task, writePairs } from "./pairs.test.helper.js";

describe("runs of one program", { timeout: 120_000 }, () => {
  let folder: string;
  let file: string;
  const out = (name: string): string => joinPath(folder, name);
  const common = { workers: 1, computeThreads: 1, backend: "wasm" } as const;

  before(() => {
    folder = mkdtempSync(joinPath(tmpdir(), "isobatch-runs-"));
    file = joinPath(folder, "pairs.csv");
    writePairs(file);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What the same task leaves when it is trained in this process and thread, without cluster and wire. */
  const expectedHash = async (name: string, units: number): Promise<string> => {
    const { task: resolved, model } = await resolveDefinition(task(name, file, units));
    const prepared = await prepareTask(resolved, { model });
    return (await trainInProcess(resolved, { backend: "wasm", prepared, evaluate: false })).stateHash;
  };

  it("train side by side, are stopped by a signal and resumed, to the bits of training without a cluster", async () => {
    const stopping = new AbortController();
    const [whole, stopped] = await Promise.all([
      train(task("whole", file, 6), { ...common, out: out("whole") }),
      train(task("stopped", file, 9), { ...common, out: out("stopped"), signal: stopping.signal }),
    ]);
    assert.notEqual(whole.id, stopped.id);
    for await (const event of stopped.events()) if (event.type === "step" && event.step === 2) stopping.abort();
    const half = await stopped.result;
    assert.equal(half.outcome, "stopped");
    assert.ok(half.summary.steps >= 3 && half.summary.steps < 40, `${half.summary.steps} steps`);

    const resumed = await train(task("stopped", file, 9), { ...common, out: out("stopped") });
    assert.deepEqual([resumed.resumed, resumed.alreadyComplete, resumed.id], [true, false, stopped.id]);
    assert.ok((await resumed.checkpoint()) >= half.summary.steps);
    const types = new Set<string>();
    for await (const { type } of resumed.events()) types.add(type);
    for (const type of ["started", "restored", "step", "evaluation", "checkpoint"]) assert.ok(types.has(type), type);
    const [first, second] = [await whole.result, await resumed.result];
    assert.deepEqual([first.outcome, second.outcome], ["complete", "complete"]);
    assert.equal(first.summary.stateHash, await expectedHash("whole", 6));
    assert.equal(second.summary.stateHash, await expectedHash("stopped", 9));
  });

  it("are known again when they are complete, and refuse a function that makes another model", async () => {
    const again = await train(task("whole", file, 6), { ...common, out: out("whole") });
    assert.equal(again.alreadyComplete, true);
    assert.equal((await again.result).outcome, "already complete");
    await assert.rejects(train(task("whole", file, 7), { ...common, out: out("whole") }), {
      name: "IsobatchError",
      code: "invalid_input",
      message: /model\.hash is "[0-9a-f]+…? here and "[0-9a-f]+…? there/,
    });
  });

  it("give their models back with labels, columns and predictions as right as the run's own evaluation", async () => {
    const loaded = await loadRun(out("whole"));
    try {
      assert.deepEqual(loaded.labels, ["first", "second"]);
      assert.deepEqual([loaded.input.shape, loaded.input.columns], [[2], ["a", "b"]]);
      const { task: resolved } = await resolveDefinition(task("whole", file, 6));
      const test = (await openData(resolved)).test!;
      const { inputs, labels } = test.read(Uint32Array.from({ length: test.samples }, (_, i) => i));
      const numbers = new Float32Array(inputs.buffer);
      const rows = Array.from({ length: test.samples }, (_, i) => ({ a: numbers[2 * i], b: numbers[2 * i + 1] }));
      const predictions = await loaded.predict(rows);
      const right = predictions.filter((one, i) => one.class === new Int32Array(labels.buffer)[i]).length;
      const again = await train(task("whole", file, 6), { ...common, out: out("whole") });
      const { finalEvaluation } = (await again.result).summary;
      assert.equal(right / test.samples, finalEvaluation?.accuracy);
      const [threaded] = await predict(out("whole"), [[0.9, 0.1]]);
      assert.deepEqual([threaded.label, threaded.class], ["first", 0]);
      await assert.rejects(loaded.predict([[1]]), { message: /^Sample 0 has 1 number; the model takes 2/ });
      await assert.rejects(loaded.predict([{ a: 1, c: 2 }]), { message: /^Sample 0 has no "b"; it takes a, b\./ });
    } finally {
      loaded.dispose();
    }
  });

  it("refuse options that there are not, by name, before anything is made", async () => {
    const wrong = train("mnist", { worker: 2, out: out("never") } as object);
    await assert.rejects(wrong, {
      code: "invalid_input",
      message: /^train\(\) has no option "worker"; did you mean workers\?$/,
    });
    await assert.rejects(train("mnist", { workers: 0 }), {
      message: "workers is 0; it must be a whole number from 1 to 256.",
    });
    await assert.rejects(train("mnist", { signal: AbortSignal.abort() }), { code: "interrupted" });
    assert.equal(existsSync(out("never")), false);
  });

  it("are imported from CommonJS, at no cost and with no effect", () => {
    const script = joinPath(folder, "common.cjs");
    const index = JSON.stringify(new URL("../../index.js", import.meta.url).href);
    writeFileSync(
      script,
      `const listeners = () => process.eventNames().map((name) => [name, process.listenerCount(name)]);
       const before = JSON.stringify(listeners());
       import(${index}).then((isobatch) => {
         const loaded = Object.keys(require("node:module")._cache ?? {}).filter((path) => path.includes("tensorflow"));
         console.log(JSON.stringify([Object.keys(isobatch).sort(), loaded, JSON.stringify(listeners()) === before]));
       });`,
    );
    const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
    assert.equal(stderr, "");
    const names = [
      "defineTask",
      "evaluate",
      "experiment",
      "exportModel",
      "join",
      "loadRun",
      "predict",
      "serve",
      "train",
    ];
    assert.deepEqual(JSON.parse(stdout), [["IsobatchError", ...names], [], true]);
  });
});
