import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom } from "../../../shared/random.js";
import { evaluate, fed, integers, node, randomGraph } from "./evaluate.test.helper.js";
import { type GraphNode, value } from "./graph-def.js";
import { simplify } from "./simplify.js";

const [FLOAT, INT32] = [1, 3]; // TensorFlow's numbers for these types

const output = (input: string): GraphNode => node("output", "Identity", [input]);

/** What is left, as "name = Operation(inputs)". */
function left(nodes: GraphNode[], kept = ["output"]): string[] {
  return simplify(nodes, kept).map(({ name, operation, inputs }) => `${name} = ${operation}(${inputs})`);
}

describe("simplify()", () => {
  it("leaves out what nothing needs, but not what it was asked to keep", () => {
    const nodes = [
      fed("x", 2),
      fed("y", 2),
      node("unused", "Neg", ["y"], [2]),
      node("a", "Exp", ["x"], [2]),
      output("a"),
    ];
    assert.deepEqual(left(nodes), ["x = Placeholder()", "a = Exp(x)", "output = Identity(a)"]);
    assert.deepEqual(left(nodes, ["output", "y"]).slice(0, 2), ["x = Placeholder()", "y = Placeholder()"]);
  });

  it("leaves out a Reshape to the shape that is there, and the first of two", () => {
    const nodes = [
      ...[fed("x", 2, 3), integers("flat", 6), integers("back", 2, 3), integers("other", 3, 2)],
      ...[node("a", "Reshape", ["x", "flat"], [6]), node("b", "Reshape", ["a", "back"], [2, 3])],
      ...[node("c", "Exp", ["b"], [2, 3]), node("d", "Reshape", ["a", "other"], [3, 2])],
      ...[node("e", "MatMul", ["c", "d"], [2, 2]), output("e")],
    ];
    assert.deepEqual(left(nodes), [
      ...["x = Placeholder()", "c = Exp(x)", "integers_3x2 = Const()", "x_as_3x2 = Reshape(x,integers_3x2)"],
      ...["e = MatMul(c,x_as_3x2)", "output = Identity(e)"],
    ]);
  });

  it("leaves out a Cast to the same type, an Identity, and a Transpose that keeps the axes", () => {
    const cast = (name: string, input: string, to: number): GraphNode =>
      node(name, "Cast", [input], [2, 2], { SrcT: value.type(FLOAT), DstT: value.type(to) });
    const nodes = [
      ...[fed("x", 2, 2), integers("order", 0, 1), integers("swap", 1, 0)],
      ...[cast("a", "x", FLOAT), node("b", "Identity", ["a"], [2, 2]), node("c", "Transpose", ["b", "order"], [2, 2])],
      ...[node("d", "Transpose", ["c", "swap"], [2, 2]), cast("e", "d", INT32), output("e")],
    ];
    assert.deepEqual(left(nodes), [
      ...["x = Placeholder()", "swap = Const()", "d = Transpose(x,swap)", "e = Cast(d)", "output = Identity(e)"],
    ]);
  });

  it("computes once what is computed twice, with the outputs of each in their places", () => {
    const split = (name: string, input: string): GraphNode => ({
      ...node(name, "Unpack", [input], undefined, { num: value.integer(2) }),
      shapes: [[3], [3]],
    });
    const nodes = [
      ...[fed("x", 2, 3), split("a", "x"), split("b", "x")],
      ...[node("c", "Sub", ["a", "b:1"], [3]), node("d", "Sub", ["b", "a:1"], [3])],
      ...[node("e", "Mul", ["c", "d"], [3]), output("e")],
    ];
    assert.deepEqual(left(nodes), [
      ...["x = Placeholder()", "a = Unpack(x)", "c = Sub(a,a:1)", "e = Mul(c,c)", "output = Identity(e)"],
    ]);
  });

  it("keeps two that differ in an attribute or in the order of their inputs, and two that have state", () => {
    const nodes = [
      ...[fed("x", 2), fed("y", 2), node("v", "VarHandleOp", []), node("w", "VarHandleOp", [])],
      ...[node("a", "ReadVariableOp", ["v"], [2]), node("b", "ReadVariableOp", ["v"], [2])],
      ...[node("c", "Sub", ["x", "y"], [2]), node("d", "Sub", ["y", "x"], [2])],
      ...["e", "f"].map((name, i) => node(name, "Cumsum", ["c"], [2], { exclusive: value.flag(i > 0) })),
      node("output", "AddN", ["w", "a", "b", "d", "e", "f"]),
    ];
    assert.equal(left(nodes).length, nodes.length);
  });

  it("leaves copying along an axis to an operation that broadcasts", () => {
    const nodes = (of: GraphNode[], operation = "Mul"): GraphNode[] => [
      ...[fed("x", 2, 3), fed("rows", 2, 1), fed("columns", 1, 3), integers("shape", 2, 3), ...of],
      ...[node("c", operation, ["a", "b"], [2, 3]), output("c")],
    ];
    const copied = (name: string, input: string, operation = "Tile"): GraphNode =>
      node(name, operation, [input, "shape"], [2, 3]);
    const last = (of: GraphNode[], operation?: string): string[] => left(nodes(of, operation)).slice(-3, -1);
    const a = node("a", "Exp", ["x"], [2, 3]);
    assert.deepEqual(last([a, copied("b", "rows")]), ["a = Exp(x)", "c = Mul(a,rows)"]);
    assert.deepEqual(last([copied("a", "columns", "BroadcastTo"), copied("b", "rows")]), [
      ...["columns = Placeholder()", "c = Mul(columns,rows)"],
    ]);
    // Not where the output's shape would be lost, …
    assert.deepEqual(last([copied("a", "rows"), node("b", "Neg", ["a"], [2, 3])]), [
      ...["b = Neg(a)", "c = Mul(rows,b)"],
    ]);
    assert.deepEqual(last([copied("a", "rows"), node("b", "Tile", ["rows", "shape"], [2, 3])]), [
      ...["a = Tile(rows,shape)", "c = Mul(rows,a)"],
    ]);
    // … where the operation does not broadcast, or where more than one element is copied.
    assert.deepEqual(last([a, copied("b", "rows")], "MatMul"), ["b = Tile(rows,shape)", "c = MatMul(a,b)"]);
    const halves = [fed("half", 1, 3), node("two", "Tile", ["half", "n"], [2, 6]), node("n", "Exp", ["two"], [2, 6])];
    assert.deepEqual(left([...halves, node("p", "Add", ["two", "n"], [2, 6]), output("p")]).slice(-2, -1), [
      "p = Add(two,n)",
    ]);
  });

  it("makes an operation wait for the replacement of a removed node", () => {
    const nodes = [
      ...[fed("x", 2), integers("shape", 2), node("a", "Exp", ["x"], [2]), node("b", "Reshape", ["a", "shape"], [2])],
      ...[node("c", "Neg", ["x", "^b"], [2]), output("c")],
    ];
    assert.deepEqual(left(nodes).slice(1), ["a = Exp(x)", "c = Neg(x,^a)", "output = Identity(c)"]);
  });

  it("leaves out the Reshapes between what computes by elements or by rows, and keeps those that matter", () => {
    const nodes = [
      ...[fed("x", 2, 3, 4), fed("w", 4, 4), fed("bias", 4), fed("scale", 2, 3, 1), fed("table", 3, 4)],
      ...[integers("rows", 6, 4), integers("back", 2, 3, 4), integers("leading", 0, 1), integers("last", 2)],
      ...[node("a", "Reshape", ["x", "rows"], [6, 4]), node("b", "BatchMatMulV2", ["a", "w"], [6, 4])],
      ...[node("c", "Reshape", ["b", "back"], [2, 3, 4]), node("d", "Add", ["c", "bias"], [2, 3, 4])],
      ...[node("e", "Relu", ["d"], [2, 3, 4]), node("f", "Max", ["e", "last"], [2, 3])],
      ...[node("g", "Sum", ["e", "leading"], [4]), node("h", "Mul", ["e", "scale"], [2, 3, 4])],
      ...[node("i", "Reshape", ["h", "rows"], [6, 4]), node("j", "BatchMatMulV2", ["i", "w"], [6, 4])],
      ...[node("k", "Reshape", ["j", "back"], [2, 3, 4]), node("l", "Add", ["k", "table"], [2, 3, 4])],
      node("output", "AddN", ["l", "f", "g"]),
    ];
    assert.deepEqual(
      left(nodes).filter((line) => !/Placeholder|Const/.test(line)),
      [
        ...["x_as_6x4 = Reshape(x,integers_6x4)", "b = BatchMatMulV2(x_as_6x4,w)", "d = Add(b,bias)", "e = Relu(d)"],
        ...["f = Max(e,integers_1)", "g = Sum(e,integers_0)", "scale_as_6x1 = Reshape(scale,integers_6x1)"],
        ...["h = Mul(e,scale_as_6x1)", "j = BatchMatMulV2(h,w)", "j_as_2x3x4 = Reshape(j,integers_2x3x4)"],
        ...["l = Add(j_as_2x3x4,table)", "f_as_2x3 = Reshape(f,integers_2x3)", "output = AddN(l,f_as_2x3,g)"],
      ],
    );
  });

  it("makes one product of a batch of one, and one number of its copies in any shape", () => {
    const nodes = [
      ...[fed("x", 3, 4), fed("w", 4, 2), fed("one", 1), integers("n", 3), integers("column", 3, 1)],
      ...[integers("first", 1, 3, 4), integers("second", 1, 4, 2), integers("third", 3, 2)],
      ...[node("a", "Reshape", ["x", "first"], [1, 3, 4]), node("b", "Reshape", ["w", "second"], [1, 4, 2])],
      ...[node("c", "BatchMatMulV2", ["a", "b"], [1, 3, 2]), node("d", "Reshape", ["c", "third"], [3, 2])],
      ...[node("e", "Tile", ["one", "n"], [3]), node("f", "Reshape", ["e", "column"], [3, 1])],
      ...[node("g", "Mul", ["d", "f"], [3, 2]), output("g")],
    ];
    assert.deepEqual(
      left(nodes).filter((line) => !/Placeholder|Const/.test(line)),
      ["c = BatchMatMulV2(x,w)", "g = Mul(c,one)", "output = Identity(g)"],
    );
  });

  it("keeps the Reshapes without which other elements would be combined", () => {
    const nodes = [
      ...[fed("x", 4, 6), fed("rows", 2, 3, 1), fed("columns", 4), fed("row", 1, 6)],
      ...[integers("to", 2, 3, 4), integers("copies", 4, 1), integers("last", 2), integers("leading", 0)],
      ...[node("a", "Relu", ["x"], [4, 6]), node("b", "Reshape", ["a", "to"], [2, 3, 4])],
      ...[node("c", "Add", ["b", "rows"], [2, 3, 4]), node("d", "Add", ["b", "columns"], [2, 3, 4])],
      ...[node("e", "Softmax", ["b"], [2, 3, 4]), node("f", "Max", ["b", "last"], [2, 3])],
      ...[node("g", "Sum", ["b", "leading"], [3, 4]), node("h", "Tile", ["row", "copies"], [4, 6])],
      ...[node("i", "Reshape", ["h", "to"], [2, 3, 4]), node("output", "AddN", ["c", "d", "e", "f", "g", "i"])],
    ];
    assert.deepEqual(
      left(nodes).filter((line) => !/Placeholder|Const/.test(line)),
      [
        ...["a = Relu(x)", "a_as_2x3x4 = Reshape(a,integers_2x3x4)", "c = Add(a_as_2x3x4,rows)"],
        ...["d = Add(a_as_2x3x4,columns)", "e = Softmax(a_as_2x3x4)", "f = Max(a_as_2x3x4,last)"],
        ...["g = Sum(a_as_2x3x4,leading)", "h = Tile(row,copies)", "h_as_2x3x4 = Reshape(h,integers_2x3x4)"],
        "output = AddN(c,d,e,f,g,h_as_2x3x4)",
      ],
    );
  });

  it("keeps the numbers of random graphs, and names the shapes of nodes rightly", () => {
    for (let seed = 0; seed < 60; seed++) {
      const { nodes, feeds } = randomGraph(createRandom(seed), 30);
      const simpler = simplify(nodes, ["output"]);
      assert.deepEqual(evaluate(simpler, feeds, "output"), evaluate(nodes, feeds, "output"), `graph ${seed}`);
    }
  });
});
