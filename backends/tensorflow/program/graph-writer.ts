/** Writes a graph node by node, each with a unique name. */
import { type Encoded, type GraphNode, value } from "./graph-def.js";

/** TensorFlow's numbers for element types. */
export const TYPE = { float32: 1, float64: 2, int32: 3, boolean: 10, bfloat16: 14 } as const;

export interface GraphWriter {
  readonly nodes: readonly GraphNode[];
  /** @returns the operation's name, which is that of its first output. */
  add(operation: string, inputs: readonly string[], attributes: Readonly<Record<string, Encoded>>): string;
  /** An operation of float32 numbers whose type is named T. */
  float(operation: string, ...inputs: string[]): string;
  cast(from: number, to: number, input: string): string;
  /** @param shape [] for a scalar */
  constant(type: number, shape: readonly number[], values: Int32Array | Float32Array | Float64Array): string;
}

/**
 * XLA, where it is used, fuses operations and adds products without rounding them first, so these nodes are excluded
 * from it.
 * @param prefix the start of every name
 */
export function createGraphWriter(prefix: string): GraphWriter {
  const nodes: GraphNode[] = [];
  const writer: GraphWriter = {
    nodes,
    add(operation, inputs, attributes) {
      const name = `${prefix}/${nodes.length}`;
      nodes.push({ name, operation, inputs, attributes: { ...attributes, _XlaCompile: value.flag(false) } });
      return name;
    },
    float: (operation, ...inputs) => writer.add(operation, inputs, { T: value.type(TYPE.float32) }),
    cast: (from, to, input) => writer.add("Cast", [input], { SrcT: value.type(from), DstT: value.type(to) }),
    constant: (type, shape, { buffer, byteOffset, byteLength }) =>
      writer.add("Const", [], {
        dtype: value.type(type),
        value: value.tensor(type, shape, new Uint8Array(buffer, byteOffset, byteLength)),
      }),
  };
  return writer;
}

export const integers = (writer: GraphWriter, ...values: number[]): string =>
  writer.constant(TYPE.int32, [values.length], Int32Array.from(values));

/** Elements [from, from + length) of a vector of float32 numbers. */
export interface Slice {
  readonly vector: string;
  readonly from: number;
  readonly length: number;
}

/** Slices, in order, copied to new memory: not that of a feed or of another variable. */
export function joinedSlices(writer: GraphWriter, slices: readonly Slice[]): string {
  const T = value.type(TYPE.float32);
  const parts = slices.map(({ vector, from, length }) =>
    writer.add("Slice", [vector, integers(writer, from), integers(writer, length)], {
      T,
      Index: value.type(TYPE.int32),
    }),
  );
  if (parts.length === 1) return writer.float("DeepCopy", parts[0]);
  const axis = writer.constant(TYPE.int32, [], Int32Array.of(0));
  return writer.add("ConcatV2", [...parts, axis], { T, N: value.integer(parts.length) });
}

/** A variable of float32 numbers in the session, by its name; graphs that are added later can use it, too. */
export interface Variable {
  read(): string;
  /** @returns the name of the operation that assigns it. */
  assign(value: string): string;
}

export function floatVariable(writer: GraphWriter, name: string, shape: readonly number[]): Variable {
  const dtype = { dtype: value.type(TYPE.float32) };
  const attributes = { ...dtype, shape: value.shape(shape), shared_name: value.text(name) };
  let handle: string | undefined;
  const handled = (): string => {
    handle ??= writer.add("VarHandleOp", [], attributes);
    return handle;
  };
  return {
    read: () => writer.add("ReadVariableOp", [handled()], dtype),
    assign: (values) => writer.add("AssignVariableOp", [handled(), values], dtype),
  };
}
