/** Predicates and names of a graph's nodes that the passes over it share. */
import { type Encoded, type GraphNode, value } from "./graph-def.js";

export type Shape = readonly number[];

type Nodes = ReadonlyMap<string, GraphNode>;

/** The name of a node's output where it is an input. */
export const place = (name: string, output: number): string => (output === 0 ? name : `${name}:${output}`);

/** The name of the node that an input comes from, or waits for. */
export const nodeOf = (input: string): string => input.replace(/^\^/, "").replace(/:\d+$/, "");

export function shapeOf(input: string, nodes: Nodes): Shape | undefined {
  const [, name, output = "0"] = /^(.*?)(?::(\d+))?$/.exec(input) as RegExpExecArray;
  return nodes.get(name)?.shapes?.[Number(output)];
}

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((length, i) => length === b[i]);

/** Whether a shape is that of one element. */
export const isOne = (shape: Shape | undefined): boolean => shape?.every((length) => length === 1) ?? false;

export const sameBytes = (a: Encoded | undefined, b: Encoded | undefined): boolean =>
  a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;

/** TensorFlow's number for the type. */
export const INT32 = 3;

/** Whether a node is this constant of int32. */
export const isConstant = (node: GraphNode | undefined, values: readonly number[]): boolean =>
  sameBytes(node?.attributes.value, value.tensor(INT32, [values.length], Int32Array.from(values)));

/** Whether a node is the constant 0, 1, 2, …: axes in order. */
export function isAscending(node: GraphNode | undefined): boolean {
  const [shape] = node?.shapes ?? [];
  return (
    shape?.length === 1 &&
    isConstant(
      node,
      Array.from({ length: shape[0] }, (_, i) => i),
    )
  );
}
