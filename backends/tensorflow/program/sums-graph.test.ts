import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gradientGraph, operationsGraph, readGraph } from "./sums-graph.js";

const VECTORS = [
  { pieces: [{ output: 1, from: 0, length: 4 }], trained: true },
  { pieces: [{ output: 2, from: 0, length: 2 }], trained: false },
];

describe("the graphs of sums", () => {
  /**
   * XLA fuses a product and an addition into one operation, with other bits: without this attribute
   * `program-fold.test.ts` fails on a CPU with ISOBATCH_TENSORFLOW_PROGRAM=xla.
   */
  it("are excluded from XLA", () => {
    const form = { loss: 0, vectors: VECTORS, clipNorm: 1, bfloat16: true };
    const coefficients = [0.5, 0.25] as const;
    const graphs = [
      gradientGraph(form, ["loss", "a", undefined], 2 ** -50),
      operationsGraph(VECTORS, [{ kind: "addGradient", slot: 1, coefficients }], 0),
      readGraph(VECTORS, ["0/s1", "0/s2"], true),
    ];
    // AttrValue's field 5, a flag that is off.
    for (const { attributes } of graphs.flatMap(({ nodes }) => nodes)) {
      assert.deepEqual([...attributes._XlaCompile], [5 << 3, 0]);
    }
  });

  it("read what they change once, and write it once", () => {
    const { nodes, feeds, targets } = operationsGraph(
      VECTORS,
      [
        { kind: "square", slot: 1, coefficients: [1, 2] },
        { kind: "addGradient", slot: 1, coefficients: [3, 4] },
        { kind: "add", into: 0, slot: 1 },
      ],
      0,
    );
    const count = (operation: string) => nodes.filter((node) => node.operation === operation).length;
    // The gradient's two vectors, S1 of two slots; S2 of one slot, of the trained vector.
    assert.equal(count("ReadVariableOp"), 2 + 2 + 2 + 1);
    assert.equal(count("AssignVariableOp"), 2 + 1);
    assert.deepEqual([feeds.length, targets.length], [4, 3]);
  });
});
