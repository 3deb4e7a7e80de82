import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { noPrograms as skip } from "../backends/tensorflow/program/installed.test.helper.js";
import { countNodes, countOperations, type OperationsModelName, operationsModels } from "./operations.js";

/**
 * The operations that each layer needs if written by hand, forward and backward, with a read of every weight and an output for
 * every gradient; and the operations that are traced. One more would be superfluous; a new operation that is needed raises the
 * limit.
 */
const OPERATIONS_MAX: Record<OperationsModelName, { compiled: number; traced: number }> = {
  mlp: { compiled: 47, traced: 52 },
  cnn: { compiled: 61, traced: 62 },
  resnet18: { compiled: 338, traced: 201 },
  gpt: { compiled: 690, traced: 819 },
  vit: { compiled: 980, traced: 1065 },
};

/** Enough for axes, scalars and an 8 × 8 mask; a tensor of ones in the shape of an activation would exceed it. */
const CONSTANT_BYTES_MAX = 4096;

describe("a compiled gradient", { skip }, () => {
  for (const [name, measured] of Object.entries(operationsModels(true))) {
    const limit = OPERATIONS_MAX[name as OperationsModelName];
    it(`of ${name} takes at most ${limit.compiled} operations, and ${CONSTANT_BYTES_MAX} bytes of constants`, async () => {
      const found = await countOperations(measured, name === "vit" ? 0.1 : 0);
      const { operations, traced, constantBytes, byOperation } = found;
      assert.ok(operations <= limit.compiled, `${operations} operations: ${JSON.stringify(byOperation)}`);
      assert.ok(traced <= limit.traced, `${traced} operations before they are compiled`);
      assert.ok(constantBytes <= CONSTANT_BYTES_MAX, `${constantBytes} bytes of constants`);
    });
  }

  it("draws each dropout of a gpt in three operations, and applies it in one each way", async () => {
    const { gpt } = operationsModels(true);
    const layers = 6;
    const dropouts = 1 + 3 * layers;
    const none = await countOperations(gpt);
    const some = await countOperations({ ...gpt, model: { ...gpt.model, dropout: 0.2 } as typeof gpt.model });
    for (const operation of ["StatelessRandomUniform", "Less", "SelectV2"]) {
      assert.equal(some.byOperation[operation], dropouts, operation);
    }
    assert.equal(some.byOperation.Mul - none.byOperation.Mul, 2 * dropouts);
    assert.ok(some.constantBytes - none.constantBytes <= 512, `${some.constantBytes} bytes of constants`);
  });
});

describe("countNodes()", () => {
  it("counts the operations that the fetches need, and the bytes of their constants", () => {
    const node = (name: string, operation: string, inputs: string[], bytes = 0) => ({ name, operation, inputs, bytes });
    const nodes = [
      ...[node("x", "Placeholder", []), node("c", "Const", [], 12), node("d", "Const", [], 100)],
      ...[node("a", "Unpack", ["x"]), node("b", "Mul", ["a:1", "c", "^w"]), node("w", "Neg", ["x"])],
      ...[node("e", "Mul", ["b", "a"]), node("unused", "Exp", ["d"])],
    ];
    assert.deepEqual(countNodes(nodes, ["e"]), {
      operations: 4,
      constantBytes: 12,
      byOperation: { Mul: 2, Unpack: 1, Neg: 1 },
    });
  });
});
