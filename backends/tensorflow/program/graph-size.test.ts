import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { node } from "./evaluate.test.helper.js";
import { sizeOf } from "./graph-size.js";

describe("sizeOf()", () => {
  it("counts operations that compute, and the bytes of constants, but nothing that only passes numbers on", () => {
    const value = new Uint8Array(40);
    const nodes = [
      node("x", "Placeholder", []),
      node("w", "ReadVariableOp", ["handle"]),
      node("c", "Const", [], [10], { value }),
      node("y", "MatMul", ["x", "w"]),
      node("z", "AddV2", ["y", "c"]),
      node("output", "Identity", ["z"]),
    ];
    assert.deepEqual(sizeOf(nodes), { operations: 2, constantBytes: 40 });
  });
});
