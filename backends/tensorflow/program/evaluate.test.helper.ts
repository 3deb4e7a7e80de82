/** Computes graphs with TensorFlow.js, node by node, and makes random ones. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import "../../../tasks/tfjs/backend-cpu.js";
import type { Random } from "../../../shared/random.js";
import { type GraphNode, value } from "./graph-def.js";

type Shape = readonly number[];

const INT32 = 3; // TensorFlow's number for the type

export const node = (
  name: string,
  operation: string,
  inputs: string[],
  shape?: Shape,
  attributes: GraphNode["attributes"] = {},
): GraphNode => ({ name, operation, inputs, attributes, shapes: shape && [shape] });

/** A node that is fed. */
export const fed = (name: string, ...shape: number[]): GraphNode => node(name, "Placeholder", [], shape);

export const integers = (name: string, ...values: number[]): GraphNode =>
  node(name, "Const", [], [values.length], { value: value.tensor(INT32, [values.length], Int32Array.from(values)) });

/** The elements of a constant, which end its attribute's bytes. */
const elementsOf = ({ attributes, shapes }: GraphNode): number[] => {
  const bytes = Buffer.from(attributes.value);
  const from = bytes.length - 4 * shapes![0][0];
  return Array.from({ length: shapes![0][0] }, (_, i) => bytes.readInt32LE(from + 4 * i));
};

const UNARY = { Neg: tf.neg, Square: tf.square, Abs: tf.abs, Relu: tf.relu, Identity: tf.clone };
const BINARY = { Add: tf.add, Sub: tf.sub, Mul: tf.mul, Maximum: tf.maximum };
const REDUCING = { Sum: tf.sum, Max: tf.max };

/** The value of the node `output`. Asserts that each node has the shape that it names. */
export function evaluate(nodes: readonly GraphNode[], feeds: ReadonlyMap<string, number[]>, output: string): number[] {
  return tf.tidy(() => {
    const values = new Map<string, tf.Tensor>();
    for (const current of nodes) {
      const { name, operation, inputs, shapes, attributes } = current;
      const [a, b] = inputs.map((input) => values.get(input)!);
      const integersOf = (input: number): number[] => elementsOf(nodes.find((other) => other.name === inputs[input])!);
      const keepDims = attributes.keep_dims !== undefined;
      const compute = (): tf.Tensor => {
        if (operation in UNARY) return UNARY[operation as keyof typeof UNARY](a);
        if (operation in BINARY) return BINARY[operation as keyof typeof BINARY](a, b);
        if (operation in REDUCING) return REDUCING[operation as keyof typeof REDUCING](a, integersOf(1), keepDims);
        switch (operation) {
          case "Placeholder":
            return tf.tensor(feeds.get(name)!, [...shapes![0]]);
          case "Const":
            return tf.tensor1d(elementsOf(current));
          case "Reshape":
            return tf.reshape(a, integersOf(1));
          case "Tile":
            return tf.tile(a, integersOf(1));
          case "Transpose":
            return tf.transpose(a, integersOf(1));
          case "BatchMatMulV2":
            return tf.matMul(a, b);
          default:
            throw new Error(`no ${operation} here`);
        }
      };
      const made = compute();
      if (shapes !== undefined) assert.deepEqual(made.shape, shapes[0], `the shape of ${name}`);
      values.set(name, made);
    }
    return [...values.get(output)!.dataSync()];
  });
}

/** A random graph of `steps` nodes, fed with "x" and "y"; its last node is "output". */
export function randomGraph(random: Random, steps: number): { nodes: GraphNode[]; feeds: Map<string, number[]> } {
  const nodes: GraphNode[] = [fed("x", 2, 3, 4), fed("y", 4)];
  const feeds = new Map(["x", "y"].map((name, i) => [name, Array.from({ length: [24, 4][i] }, () => random.below(5))]));
  const values = nodes.map(({ name, shapes }) => ({ name, shape: shapes![0] }));
  const pick = <T>(of: readonly T[]): T => of[random.below(of.length)];
  const push = (operation: string, inputs: string[], shape: Shape, attributes?: GraphNode["attributes"]): void => {
    const name = `node${nodes.length}`;
    nodes.push(node(name, operation, inputs, shape, attributes));
    values.push({ name, shape });
  };
  const constant = (of: readonly number[]): string => {
    const name = `constant${nodes.length}`;
    nodes.push(integers(name, ...of));
    return name;
  };
  const makers = [
    (): void => {
      const { name, shape } = pick(values.slice(-3));
      push(pick(["Neg", "Abs", "Relu"]), [name], shape);
    },
    (): void => {
      const { name, shape } = pick(values);
      const size = shape.reduce((product, length) => product * length, 1);
      const last = pick([1, 2, 3, 4, 6].filter((length) => size % length === 0));
      const [outer, ones] = [size / last, pick([[], [1]])];
      const to = pick([[...ones, outer, last], [size], [last, outer], ...(outer % 2 ? [] : [[2, outer / 2, last]])]);
      push("Reshape", [name, constant(to)], to);
    },
    (): void => {
      const first = pick(values.slice(-4));
      const fitting = values.flatMap((second) => {
        try {
          return [{ second, shape: tf.broadcast_util.assertAndGetBroadcastShape([...first.shape], [...second.shape]) }];
        } catch {
          return [];
        }
      });
      const { second, shape } = pick(fitting);
      if (shape.length > 4) return;
      const inputs = pick([
        [first.name, second.name],
        [second.name, first.name],
      ]);
      push(pick(Object.keys(BINARY)), inputs, shape);
    },
    (): void => {
      const { name, shape } = pick(values.slice(-4));
      const all = shape.map((_, axis) => axis);
      const axes = pick([all, all.slice(0, 1), all.slice(0, 2), all.slice(-1)]);
      if (axes.length === 0) return;
      const keep = random.below(2) === 1;
      const left = shape.flatMap((length, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [length]));
      push(pick(Object.keys(REDUCING)), [name, constant(axes)], left, keep ? { keep_dims: value.flag(true) } : {});
    },
    (): void => {
      const { name, shape } = pick(values);
      if (shape.length === 0 || shape.some((length, axis) => length !== 1 && axis === 0)) return;
      push("Tile", [name, constant(shape.map((_, axis) => (axis === 0 ? 3 : 1)))], [3, ...shape.slice(1)]);
    },
    (): void => {
      const { name, shape } = pick(values.slice(-4));
      const order = pick([shape.map((_, axis) => axis), shape.map((_, axis) => axis).reverse()]);
      if (shape.length > 1)
        push(
          "Transpose",
          [name, constant(order)],
          order.map((axis) => shape[axis]),
        );
    },
    (): void => {
      const pairs = values.flatMap((a) =>
        values
          .filter((b) => {
            const [m, n] = [a.shape.length, b.shape.length];
            return (
              m === n &&
              m > 1 &&
              a.shape.at(-1) === b.shape.at(-2) &&
              `${a.shape.slice(0, -2)}` === `${b.shape.slice(0, -2)}`
            );
          })
          .map((b) => ({ a, b })),
      );
      if (pairs.length === 0) return;
      const { a, b } = pick(pairs);
      push("BatchMatMulV2", [a.name, b.name], [...a.shape.slice(0, -1), b.shape.at(-1)!]);
    },
  ];
  while (nodes.length < steps) pick(makers)();
  const last = values[values.length - 1];
  nodes.push(node("output", "Identity", [last.name], last.shape));
  return { nodes, feeds };
}
