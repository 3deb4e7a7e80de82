import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createWorkerMemory } from "../compute/index.js";
import { createLayout } from "../shared/layout/index.js";
import { createWireForms } from "./wire-forms.js";

/** 1 + 2⁻⁷ as a bfloat16, and two numbers that are rounded to it. */
const EXACT = 1.0078125;

describe("createWireForms()", () => {
  const layout = createLayout([
    { name: "kernel", shape: [37], kind: "parameter", decay: true },
    { name: "mean", shape: [5], kind: "tail", decay: false, momentum: 0.9 },
    { name: "fixed", shape: [3], kind: "frozen", decay: false },
  ]);
  const [kernel, mean, fixed] = layout.chunks;

  it("halves a leaf's gradient and the weights, but for the tail and what is frozen", async () => {
    const memory = createWorkerMemory({ layout, threads: 1, leaves: 4 });
    const [slot] = await memory.takeSlots(1);
    const forms = createWireForms(memory, "bfloat16");
    assert.deepEqual([kernel, mean, fixed].map(forms.weightsBytes), [37 * 2, 5 * 4, 3 * 4]);
    const leaf = { lo: 2, hi: 3, slot };
    assert.deepEqual(
      forms.sums(leaf, kernel).map(({ length }) => length),
      [37 * 2],
    );
    assert.deepEqual(
      forms.sums(leaf, mean).map(({ length }) => length),
      [5 * 4],
    );
    const pair = { lo: 2, hi: 4, slot };
    assert.deepEqual(
      forms.sums(pair, kernel).map(({ length }) => length),
      [37 * 4, 37 * 4],
    );
    assert.deepEqual(
      forms.sums(pair, mean).map(({ length }) => length),
      [5 * 4],
    );
  });

  it("brings what was sent to its place, wherever the vector's end is", async () => {
    const memory = createWorkerMemory({ layout, threads: 1, leaves: 4 });
    const forms = createWireForms(memory, "bfloat16");
    const [slot] = await memory.takeSlots(1);
    const g = memory.sums(slot, "s1", kernel);
    for (let i = 0; i < kernel.length; i++) g.writeFloatLE((i - 18) * EXACT, 4 * i);
    const [sent] = forms.sums({ lo: 0, hi: 1, slot }, kernel);
    assert.deepEqual([...new Uint16Array(new Uint8Array(sent).buffer)].slice(17, 20), [0xbf81, 0x0000, 0x3f81]);
    forms.setWeights(kernel, Buffer.from(sent));
    const weights = memory.weights(kernel);
    for (let i = 0; i < kernel.length; i++) {
      assert.ok(Math.abs(weights.readFloatLE(4 * i) / ((i - 18) * EXACT || 1) - 1) < 2 ** -8 || i === 18);
    }
    assert.equal(weights.readFloatLE(4 * 19), EXACT);
    forms.setWeights(mean, Buffer.from(Float32Array.of(1, 2, 3, 4, 5.1).buffer));
    assert.equal(memory.weights(mean).readFloatLE(16), Math.fround(5.1));
  });

  it("leaves float32 as it is", async () => {
    const memory = createWorkerMemory({ layout, threads: 1, leaves: 4 });
    const [slot] = await memory.takeSlots(1);
    const forms = createWireForms(memory, "float32");
    assert.deepEqual(
      forms.sums({ lo: 0, hi: 1, slot }, kernel).map(({ length }) => length),
      [37 * 4],
    );
    assert.equal(forms.weightsBytes(kernel), 37 * 4);
  });
});
