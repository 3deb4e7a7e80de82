import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type GraphNode, value } from "./graph-def.js";
import { simplify } from "./simplify.js";

const [FLOAT, INT32] = [1, 3]; // TensorFlow's numbers

const node = (
  name: string,
  operation: string,
  inputs: string[],
  shape?: number[],
  attributes: GraphNode["attributes"] = {},
): GraphNode => ({ name, operation, inputs, attributes, shapes: shape && [shape] });

const fed = (name: string, ...shape: number[]): GraphNode => node(name, "Placeholder", [], shape);

const integers = (name: string, ...values: number[]): GraphNode =>
  node(name, "Const", [], [values.length], { value: value.tensor(INT32, [values.length], Int32Array.from(values)) });

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
      ...["x = Placeholder()", "other = Const()", "c = Exp(x)", "d = Reshape(x,other)"],
      ...["e = MatMul(c,d)", "output = Identity(e)"],
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

  it("lets an operation wait for the one that stands in for what it waited for", () => {
    const nodes = [
      ...[fed("x", 2), integers("shape", 2), node("a", "Exp", ["x"], [2]), node("b", "Reshape", ["a", "shape"], [2])],
      ...[node("c", "Neg", ["x", "^b"], [2]), output("c")],
    ];
    assert.deepEqual(left(nodes).slice(1), ["a = Exp(x)", "c = Neg(x,^a)", "output = Identity(c)"]);
  });
});
