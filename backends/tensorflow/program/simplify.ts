/**
 * Removes superfluous operations from a graph: those that nothing needs, that change nothing (a Reshape to the same
 * shape, a Cast to the same type), that a second one undoes (a Reshape of a Reshape), that are computed twice, and
 * copies of a tensor along an axis for an operation that broadcasts by itself. No bits change: the same operations
 * remain, on the same numbers.
 *
 * TensorFlow's own rewriting ("grappler") would do the same, but also other things, which change bits.
 */
import { createHash } from "node:crypto";
import type { Encoded, GraphNode } from "./graph-def.js";
import { isAscending, isOne, nodeOf, place, type Shape, sameBytes, sameShape, shapeOf } from "./nodes.js";
import { withFewReshapes } from "./reshapes.js";

/** Operations for which two nodes with the same inputs and attributes may give different results. */
const STATEFUL = /^(Placeholder|VarHandleOp|Random|Multinomial)|Variable/;

/** Operations that compute element by element, and broadcast their inputs to the shape of their output. */
const BROADCASTING = new Set(["Add", "AddV2", "Sub", "Mul", "RealDiv", "Maximum", "Minimum"]);

/** Operations whose output repeats the elements of their first input. */
const COPYING = new Set(["BroadcastTo", "Tile"]);

/**
 * @param nodes each after those that it takes its inputs from
 * @param kept the names of the nodes that stay under the same names: fetches and targets
 * @returns those nodes and what they need, in the same order
 */
export function simplify(nodes: readonly GraphNode[], kept: Iterable<string>): GraphNode[] {
  const roots = new Set(kept);
  return cleared(withFewReshapes(cleared(nodes, roots), roots), roots);
}

function cleared(nodes: readonly GraphNode[], roots: ReadonlySet<string>): GraphNode[] {
  const given = new Map(nodes.map((node) => [node.name, node]));
  /** For each output of a removed node the output that is used instead. */
  const replaced = new Map<string, string>();
  const left = new Map<string, GraphNode>();
  const known = new Map<string, string>();

  for (const node of nodes) {
    const inputs = node.inputs.map((input) =>
      input.startsWith("^") ? `^${nodeOf(replaced.get(input.slice(1)) ?? input)}` : (replaced.get(input) ?? input),
    );
    const simpler = withPlainInputs({ ...node, inputs }, left);
    const same = roots.has(node.name) ? undefined : sourceOf(simpler, left);
    if (same !== undefined) {
      replaced.set(node.name, same);
      continue;
    }
    const key = roots.has(node.name) || STATEFUL.test(node.operation) ? undefined : keyOf(simpler);
    const twin = key === undefined ? undefined : known.get(key);
    if (twin === undefined) {
      left.set(node.name, simpler);
      if (key !== undefined) known.set(key, node.name);
    } else {
      for (const [i] of (given.get(twin)?.shapes ?? [[]]).entries()) replaced.set(place(node.name, i), place(twin, i));
    }
  }
  return needed([...left.values()], roots);
}

/** The node, its inputs taken from before operations that make no difference to it. */
function withPlainInputs(node: GraphNode, nodes: ReadonlyMap<string, GraphNode>): GraphNode {
  const shape = node.shapes?.[0];
  if (shape === undefined) return node;
  if (node.operation === "Reshape") {
    const [source, ...rest] = node.inputs;
    const before = nodes.get(source);
    return before?.operation === "Reshape" ? { ...node, inputs: [before.inputs[0], ...rest] } : node;
  }
  if (!BROADCASTING.has(node.operation) || node.inputs.length !== 2) return node;
  const uncopied = node.inputs.map((input) => {
    let source = input;
    for (let before = nodes.get(input); before !== undefined && copies(before, nodes); before = nodes.get(source)) {
      source = before.inputs[0];
    }
    return source;
  });
  // If both inputs are copies, the originals may both be smaller than the output: then one of the copies must stay.
  for (const inputs of [uncopied, [uncopied[0], node.inputs[1]], [node.inputs[0], uncopied[1]]]) {
    if (broadcasts(inputs, shape, nodes)) return { ...node, inputs };
  }
  return node;
}

/** Whether a node only repeats its input along axes of length 1, which broadcasting does, too. */
function copies({ operation, inputs, shapes }: GraphNode, nodes: ReadonlyMap<string, GraphNode>): boolean {
  const [from, to] = [shapeOf(inputs[0] ?? "", nodes), shapes?.[0]];
  if (from === undefined || to === undefined) return false;
  if (operation === "Reshape") return isOne(to) && from.length <= to.length;
  if (!COPYING.has(operation)) return false;
  return from.length === to.length && from.every((length, axis) => length === 1 || length === to[axis]);
}

/** Whether two inputs broadcast to `shape`. */
function broadcasts(inputs: readonly string[], shape: Shape, nodes: ReadonlyMap<string, GraphNode>): boolean {
  const [a, b] = inputs.map((input) => shapeOf(input, nodes));
  if (a === undefined || b === undefined) return false;
  const length = (of: Shape, axis: number): number => of[of.length - shape.length + axis] ?? 1;
  return (
    Math.max(a.length, b.length) === shape.length &&
    shape.every((expected, axis) => Math.max(length(a, axis), length(b, axis)) === expected)
  );
}

/** The input that a node passes on unchanged, in the same shape and type; undefined if it computes anything. */
function sourceOf(node: GraphNode, nodes: ReadonlyMap<string, GraphNode>): string | undefined {
  const { operation, inputs, attributes, shapes } = node;
  const [source] = inputs;
  switch (operation) {
    case "Identity":
      return source;
    case "Cast":
      return sameBytes(attributes.SrcT, attributes.DstT) ? source : undefined;
    case "Reshape":
    case "BroadcastTo":
    case "Tile": {
      const [from, to] = [shapeOf(source, nodes), shapes?.[0]];
      return from !== undefined && to !== undefined && sameShape(from, to) ? source : undefined;
    }
    case "Transpose":
      return isAscending(nodes.get(inputs[1])) ? source : undefined;
    default:
      return undefined;
  }
}

/** A key that is the same for two nodes that compute the same. */
function keyOf({ operation, inputs, attributes }: GraphNode): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([operation, inputs, sorted.map(([name, bytes]) => [name, digestOf(bytes)])]);
}

/** Hashed, because a constant may have many bytes. */
const digestOf = (bytes: Encoded): string => createHash("sha256").update(bytes).digest("base64");

/** The nodes that the nodes named in `roots` are computed from. */
function needed(nodes: readonly GraphNode[], roots: ReadonlySet<string>): GraphNode[] {
  const wanted = new Set(roots);
  const result: GraphNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!wanted.has(node.name)) continue;
    result.push(node);
    for (const input of node.inputs) wanted.add(nodeOf(input));
  }
  return result.reverse();
}
