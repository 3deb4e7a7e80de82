import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadTask } from "./load-task.js";
import { setFields } from "./set-fields.js";

describe("setFields()", () => {
  it("replaces fields, also inside others and in lists, and changes nothing that it was given", () => {
    const fields = { rate: 1, schedule: { kind: "cosine", warmup: 5 }, layers: [{ units: 1 }, { units: 2 }] };
    const before = structuredClone(fields);
    assert.deepEqual(
      setFields(fields, { rate: 2, "schedule.kind": "constant", "layers.1.units": 9, "new.one": true }),
      {
        rate: 2,
        schedule: { kind: "constant", warmup: 5 },
        layers: [{ units: 1 }, { units: 9 }],
        new: { one: true },
      },
    );
    assert.deepEqual(fields, before);
  });

  it("refuses names that lead nowhere", () => {
    const refuses = (name: string, words: RegExp) =>
      assert.throws(() => setFields({ rate: 1, layers: [1] }, { [name]: 2 }), {
        code: "invalid_input",
        message: words,
      });
    refuses("rate.x", /^The field rate\.x is to be set, but 1 has no field "x"\.$/);
    refuses("layers.1", /"1" is not a number below 1\.$/);
  });
});

describe("loadTask() with fields that are set", () => {
  it("checks them as it does those of the task", async () => {
    const { learningRate, schedule } = await loadTask("mnist", {
      set: { learningRate: 0.01, "schedule.kind": "linear" },
    });
    assert.deepEqual([learningRate, schedule.kind], [0.01, "linear"]);
    await assert.rejects(loadTask("mnist", { set: { learnngRate: 1 } }), /learnngRate.*did you mean learningRate/);
  });
});
