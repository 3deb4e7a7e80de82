import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fieldValue } from "./option-values.js";

describe("fieldValue()", () => {
  const read = fieldValue("--set");

  it("collects fields, whose values are JSON or else text", () => {
    const first = read("learningRate=0.01");
    const second = read("schedule.kind=constant", first);
    assert.deepEqual(read('freeze=["a=b"]', second), {
      learningRate: 0.01,
      "schedule.kind": "constant",
      freeze: ["a=b"],
    });
  });

  it("refuses what sets nothing", () => {
    for (const text of ["learningRate", "=1", "a..b=1", ""]) {
      assert.throws(() => read(text), { code: "invalid_input", message: /^--set is ".*"; it must be FIELD=VALUE/ });
    }
  });
});
