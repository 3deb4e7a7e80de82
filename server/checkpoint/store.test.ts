import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { IsobatchError } from "../../shared/errors.js";
import type { ElementRange } from "../../shared/layout/index.js";
import { createLayout } from "../../shared/layout/index.js";
import { createRandom } from "../../shared/random.js";
import { parametersIn, type SliceState } from "./checkpoint-file.js";
import { createCheckpointStore } from "./store.js";

// 26 parameters, 4 of the tail, 3 frozen: 33 elements.
const layout = createLayout([
  { name: "dense/kernel", shape: [4, 5], kind: "parameter", decay: true },
  { name: "norm/mean", shape: [4], kind: "tail", decay: false, momentum: 0.9 },
  { name: "dense/bias", shape: [5], kind: "parameter", decay: false },
  { name: "embedding", shape: [3], kind: "frozen", decay: false },
  { name: "scale", shape: [], kind: "parameter", decay: false },
]);
const whole = { firstElement: 0, endElement: layout.length };
const meta = { step: 12, microBatches: 96, c1: 0.1 + 0.2, c2: 1 - 2 ** -53 };
const owner = { runId: "run-1", taskHash: "task-1" };

function stateOf(range: ElementRange, seed = 1): SliceState {
  const random = createRandom(seed);
  const all = () => Float32Array.from({ length: layout.length }, () => random.next() - 0.5);
  const [theta, m, v] = [all(), all(), all()];
  const parameters = range.firstElement + parametersIn(layout, range);
  return {
    theta: theta.slice(range.firstElement, range.endElement),
    m: m.slice(range.firstElement, parameters),
    v: v.slice(range.firstElement, parameters),
  };
}

function emptyState(range: ElementRange): SliceState {
  const parameters = parametersIn(layout, range);
  return {
    // Shared memory, as the shards have it.
    theta: new Float32Array(new SharedArrayBuffer(4 * (range.endElement - range.firstElement))),
    m: new Float32Array(new SharedArrayBuffer(4 * parameters)),
    v: new Float32Array(new SharedArrayBuffer(4 * parameters)),
  };
}

const equal = (a: SliceState, b: SliceState) =>
  assert.deepEqual([[...a.theta], [...a.m], [...a.v]], [[...b.theta], [...b.m], [...b.v]]);
const fails = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof IsobatchError && error.code === code && words.test(error.message);
/** The slices of `count` shards. */
const slices = (count: number): ElementRange[] =>
  Array.from({ length: count }, (_, i) => ({
    firstElement: Math.floor((i * layout.length) / count),
    endElement: Math.floor(((i + 1) * layout.length) / count),
  }));

let root: string;
let folders = 0;
const newFolder = () => join(root, String(folders++), "checkpoints");
const storeOf = (folder: string, slice: ElementRange = whole) =>
  createCheckpointStore({ folder, layout, slice, ...owner });
const writeAll = async (folder: string, count: number, step = meta.step, seed = 1) => {
  for (const slice of slices(count)) await storeOf(folder, slice).write(stateOf(slice, seed), { ...meta, step });
};
const fileOf = (folder: string, step = meta.step) => {
  const parent = join(folder, `step-${String(step).padStart(9, "0")}`);
  return join(parent, readdirSync(parent)[0]);
};

before(() => {
  root = mkdtempSync(join(tmpdir(), "isobatch-store-"));
});
after(() => rmSync(root, { recursive: true }));

describe("CheckpointStore.write() and load()", () => {
  it("round-trips every bit of theta, m, v and of the float64 values", async () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (c) => Object.is(Number(String(c)), c || 0)));
    const folder = newFolder();
    const store = storeOf(folder);
    const state = stateOf(whole);
    state.theta.set([Number.NaN, -0, 1e-45, Number.POSITIVE_INFINITY]);
    const written = await store.write(state, meta);
    const loaded = emptyState(whole);
    assert.deepEqual(store.load(meta.step, loaded), { ...meta, ...owner });
    equal(loaded, state);
    assert.equal(readFileSync(written.path).length, written.bytes);
    assert.deepEqual(readdirSync(join(written.path, "..")), [`elements-0-${layout.length}.safetensors`]);
  });

  for (const [wrote, reads] of [
    [1, 3],
    [3, 1],
    [3, 2],
    [2, 5],
  ]) {
    it(`gives ${reads} shards what ${wrote} wrote`, async () => {
      const folder = newFolder();
      await writeAll(folder, wrote);
      for (const slice of slices(reads)) {
        const store = storeOf(folder, slice);
        assert.deepEqual(store.list(), [meta.step]);
        const loaded = emptyState(slice);
        assert.deepEqual(store.load(meta.step, loaded), { ...meta, ...owner });
        equal(loaded, stateOf(slice));
      }
    });
  }

  it("lists only steps that cover the range, in order", async () => {
    const folder = newFolder();
    const [first, second] = slices(2);
    for (const step of [300, 7]) await storeOf(folder, first).write(stateOf(first), { ...meta, step });
    await storeOf(folder, second).write(stateOf(second), { ...meta, step: 7 });
    assert.deepEqual(storeOf(folder, first).list(), [7, 300]);
    assert.deepEqual(storeOf(folder, second).list(), [7]);
    assert.deepEqual(storeOf(folder).list(), [7]);
    assert.deepEqual(storeOf(newFolder()).list(), []);
    assert.throws(() => storeOf(folder).load(300, emptyState(whole)), fails("damaged", /step 300 .* not covered/));
  });

  it("refuses slices of two histories under one step", async () => {
    const folder = newFolder();
    const [first, second] = slices(2);
    await storeOf(folder, first).write(stateOf(first), meta);
    await storeOf(folder, second).write(stateOf(second), { ...meta, c1: 0.5 });
    assert.throws(() => storeOf(folder).load(meta.step, emptyState(whole)), fails("damaged", /its c1 is 0\.5/));
  });

  it("refuses another run's, another task's and another model's files, naming both", async () => {
    const folder = newFolder();
    await writeAll(folder, 1);
    const load = (change: object) =>
      createCheckpointStore({ folder, layout, slice: whole, ...owner, ...change }).load(meta.step, emptyState(whole));
    assert.throws(() => load({ runId: "run-2" }), fails("refused", /another run, run-1 instead of run-2/));
    assert.throws(() => load({ taskHash: "task-2" }), fails("refused", /another task, task-1 instead of task-2/));
    const other = createLayout([{ name: "other", shape: [layout.length], kind: "parameter", decay: false }]);
    const into = { theta: new Float32Array(33), m: new Float32Array(33), v: new Float32Array(33) };
    const store = createCheckpointStore({ folder, layout: other, slice: whole, ...owner });
    assert.throws(() => store.load(meta.step, into), fails("refused", /another model/));
  });

  it("throws on arrays of the wrong length", async () => {
    const state = { ...stateOf(whole), m: new Float32Array(2) };
    await assert.rejects(storeOf(newFolder()).write(state, meta), /theta, m, v have 33, 2, 26 elements/);
  });
});

describe("a damaged file", () => {
  const load = (folder: string) => storeOf(folder).load(meta.step, emptyState(whole));

  it("is found by any flipped bit, in the header too", async () => {
    const folder = newFolder();
    await writeAll(folder, 1);
    const file = fileOf(folder);
    const sound = readFileSync(file);
    for (let bit = 0; bit < 8 * sound.length; bit++) {
      const flipped = Buffer.from(sound);
      flipped[bit >> 3] ^= 1 << (bit & 7);
      writeFileSync(file, flipped);
      assert.throws(() => load(folder), fails("damaged", /elements-0-33\.safetensors is damaged: /), `bit ${bit}`);
    }
    writeFileSync(file, sound);
    load(folder);
  });

  it("is found however it is cut, filled or overwritten", async () => {
    const folder = newFolder();
    await writeAll(folder, 1);
    const file = fileOf(folder);
    const sound = readFileSync(file);
    for (let length = 0; length < sound.length; length += 7) {
      writeFileSync(file, sound);
      truncateSync(file, length);
      assert.throws(() => load(folder), fails("damaged", /is damaged: /), `cut to ${length}`);
    }
    const patch = fc.tuple(fc.nat(sound.length - 1), fc.uint8Array({ minLength: 1, maxLength: 64 }));
    fc.assert(
      fc.property(patch, fc.nat(40), ([at, bytes], more) => {
        const changed = Buffer.concat([sound, Buffer.alloc(more)]);
        changed.set(bytes.subarray(0, changed.length - at), at);
        fc.pre(!changed.equals(sound));
        writeFileSync(file, changed);
        assert.throws(() => load(folder), fails("damaged", /is damaged: /));
      }),
    );
  });

  it("is one that was renamed to another slice or step", async () => {
    const folder = newFolder();
    await writeAll(folder, 1);
    mkdirSync(join(folder, "step-000000013"));
    writeFileSync(join(folder, "step-000000013", "elements-0-33.safetensors"), readFileSync(fileOf(folder)));
    const load13 = () => storeOf(folder).load(13, emptyState(whole));
    assert.throws(load13, fails("damaged", /its step is 12 where it should be 13/));
  });
});

describe("CheckpointStore.keep()", () => {
  it("removes older steps, never newer ones", async () => {
    const folder = newFolder();
    for (const step of [1, 2, 3, 4]) await writeAll(folder, 1, step);
    const store = storeOf(folder);
    store.keep([1, 3]);
    assert.deepEqual(store.list(), [1, 3, 4]);
    store.keep([]);
    assert.deepEqual(store.list(), [1, 3, 4]);
  });
});

describe("CheckpointStore.dropNewerThan()", () => {
  it("removes the steps of an abandoned history", async () => {
    const folder = newFolder();
    for (const step of [1, 2, 3]) await writeAll(folder, 1, step);
    const store = storeOf(folder);
    store.dropNewerThan(2);
    assert.deepEqual(store.list(), [1, 2]);
  });
});

describe("a kill while writing", () => {
  const survives: [string, boolean][] = [
    ["checkpoint.write", false],
    ["checkpoint.fsync", false],
    ["checkpoint.rename", false],
    ["checkpoint.done", true],
  ];
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const program = `
    import { createLayout } from ${url("../../shared/layout/index.js")};
    import { parseFailSetting, setFailPoint } from ${url("../../shared/fail-point.js")};
    import { createCheckpointStore } from ${url("./store.js")};
    setFailPoint(parseFailSetting(process.argv[2]));
    const layout = createLayout([{ name: "w", shape: [33], kind: "parameter", decay: true }]);
    const slice = { firstElement: 0, endElement: 33 };
    const store = createCheckpointStore({ folder: process.argv[1], layout, slice, runId: "r", taskHash: "t" });
    const state = { theta: new Float32Array(33), m: new Float32Array(33), v: new Float32Array(33) };
    for (const step of [1, 2]) await store.write(state, { step, microBatches: step, c1: 0, c2: 0 });`;

  for (const [point, kept] of survives) {
    it(`at ${point} leaves ${kept ? "the new checkpoint" : "the one before"}, and no temporary file after the next start`, () => {
      const folder = newFolder();
      const child = spawnSync(process.execPath, ["--input-type=module", "-e", program, folder, `${point}:2`]);
      assert.equal(child.signal, "SIGKILL", String(child.stderr));
      const store = storeOf(folder);
      assert.deepEqual(store.list(), kept ? [1, 2] : [1]);
      const names = readdirSync(folder, { recursive: true }).map(String);
      assert.deepEqual(
        names.filter((name) => name.endsWith(".tmp")),
        [],
      );
    });
  }
});

describe("a full disk", () => {
  const disk = join(tmpdir(), `isobatch-disk-${process.pid}`);
  mkdirSync(disk);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
  const skip = mounted.status === 0 ? false : `no tmpfs can be mounted here: ${mounted.stderr ?? mounted.error}`;
  after(() => {
    if (skip === false) spawnSync("umount", [disk]);
    rmSync(disk, { recursive: true });
  });

  it("is one clear error, and the checkpoints before it stay", { skip }, async () => {
    // 42 kB a checkpoint: one fits.
    const large = createLayout([{ name: "w", shape: [3500], kind: "parameter", decay: true }]);
    const slice = { firstElement: 0, endElement: 3500 };
    const folder = join(disk, "checkpoints");
    const store = createCheckpointStore({ folder, layout: large, slice, ...owner });
    const state = () => ({ theta: new Float32Array(3500), m: new Float32Array(3500), v: new Float32Array(3500) });
    await store.write(state(), { ...meta, step: 1 });
    await assert.rejects(
      store.write(state(), { ...meta, step: 2 }),
      fails("exhausted", /000002.* the disk is full\. Free/),
    );
    assert.deepEqual(readdirSync(join(folder, "step-000000002")), []);
    assert.deepEqual(store.list(), [1]);
    store.load(1, state());
  });
});
