/**
 * Encodes graphs and settings as the protocol buffers that TensorFlow reads: GraphDef, NodeDef, AttrValue, TensorProto
 * and ConfigProto, with the few fields that are needed here.
 * https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/framework
 */
import { BYTES, NUMBER, varintLength, writeVarint } from "../../../shared/protobuf.js";
import { type Numbers, UncompilableError } from "../../compiler.js";
import { AS_WRITTEN, type Rewriting } from "./settings.js";

/** An encoded message, or a part of one. */
export type Encoded = Uint8Array;

export const joined = (parts: readonly Encoded[]): Encoded => Buffer.concat(parts);

const encodeText = (text: string): Encoded => Buffer.from(text, "utf8");

function varint(value: number): Encoded {
  if (value < 0) return negativeVarint(value);
  const bytes = new Uint8Array(varintLength(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

/** An int64 below zero is written as its two's complement, in ten bytes. */
function negativeVarint(value: number): Encoded {
  const bits = BigInt.asUintN(64, BigInt(value));
  return Uint8Array.from({ length: 10 }, (_, i) => Number((bits >> BigInt(7 * i)) & 0x7fn) | (i < 9 ? 0x80 : 0));
}

const numberField = (field: number, value: number): Encoded =>
  joined([varint(field * 8 + NUMBER), varint(Number(value))]);

const bytesField = (field: number, bytes: Encoded): Encoded =>
  joined([varint(field * 8 + BYTES), varint(bytes.length), bytes]);

const textField = (field: number, text: string): Encoded => bytesField(field, encodeText(text));

const FIXED32 = 5;

function floatField(field: number, value: number): Encoded {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return joined([varint(field * 8 + FIXED32), bytes]);
}

const floats = (values: readonly number[]): Encoded => Buffer.from(Float32Array.from(values).buffer);

const shapeMessage = (shape: readonly number[]): Encoded =>
  joined(shape.map((length) => bytesField(2, numberField(1, length))));

/** An attribute's value: the message AttrValue. */
export const value = {
  text: (text: string): Encoded => textField(2, text),
  integer: (integer: number): Encoded => numberField(3, integer),
  integers: (integers: readonly number[]): Encoded => bytesField(1, bytesField(3, joined(integers.map(varint)))),
  float: (float: number): Encoded => floatField(4, float),
  floats: (values: readonly number[]): Encoded => bytesField(1, bytesField(4, floats(values))),
  flag: (flag: boolean): Encoded => numberField(5, flag ? 1 : 0),
  flags: (flags: readonly boolean[]): Encoded => bytesField(1, bytesField(5, Uint8Array.from(flags, Number))),
  type: (type: number): Encoded => numberField(6, type),
  shape: (shape: readonly number[]): Encoded => bytesField(7, shapeMessage(shape)),
  tensor: (type: number, shape: readonly number[], { buffer, byteOffset, byteLength }: Numbers): Encoded =>
    bytesField(
      8,
      joined([
        numberField(1, type),
        bytesField(2, shapeMessage(shape)),
        bytesField(4, new Uint8Array(buffer, byteOffset, byteLength)),
      ]),
    ),
};

export interface GraphNode {
  readonly name: string;
  /** The operation's name, e.g. "Conv2D". */
  readonly operation: string;
  /** "node", or "node:output". */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, Encoded>>;
  /** The shape of each output, where they are known; not encoded. */
  readonly shapes?: readonly (readonly number[])[];
}

/** The devices that a session sees, the device of its operations, and how its graph is rewritten. */
export interface SessionDevices {
  /** Whether there are devices other than CPUs: a GPU, on which TensorFlow then places what it can. */
  readonly otherDevices: boolean;
  /** The number of virtual CPU devices; 1 by default. */
  readonly cpuDevices?: number;
  /** The device of every operation, e.g. "/device:CPU:1"; by default TensorFlow chooses. */
  readonly device?: string;
  /** By default the graph is computed as it was written. */
  readonly rewriting?: Rewriting;
}

/** @throws {UncompilableError} if it is too large. */
export function encodeGraph(nodes: readonly GraphNode[], { device }: SessionDevices): Encoded {
  const attributes = nodes.flatMap((node) => Object.values(node.attributes));
  if (attributes.reduce((sum, { length }) => sum + length, 0) > ATTRIBUTES_BYTES_MAX) {
    throw new UncompilableError("the constants of its graph are larger than 2 GB");
  }
  const encoded = nodes.map((node) => bytesField(1, encodeNode(node, device)));
  return joined([...encoded, bytesField(4, numberField(1, PRODUCER))]);
}

/** A protocol buffer has at most 2 GiB; this leaves enough for the nodes. */
const ATTRIBUTES_BYTES_MAX = 2e9;

/** The version of the graph's format, of 2023, which every TensorFlow since then reads. */
const PRODUCER = 1395;

function encodeNode({ name, operation, inputs, attributes }: GraphNode, device: string | undefined): Encoded {
  return joined([
    textField(1, name),
    textField(2, operation),
    ...inputs.map((input) => textField(3, input)),
    ...(device === undefined ? [] : [textField(4, device)]),
    ...Object.entries(attributes).map(([name, encoded]) =>
      bytesField(5, joined([textField(1, name), bytesField(2, encoded)])),
    ),
  ]);
}

/**
 * A session's settings. Operations run one at a time, each on one thread, as they do outside sessions. The graph is not
 * rewritten unless that is requested.
 *
 * TensorFlow cuts a graph at the borders of devices; each part, a partition, runs by itself, and sends to and receives
 * from the others. With one partition the single-threaded executor is the fastest. With two it never finishes:
 * it waits inside the operation that receives, in the only thread that could run the partition that sends. The default
 * executor returns the thread while it waits. It is also the only one that computes what XLA compiles.
 */
export function encodeConfig({ otherDevices, cpuDevices = 1, rewriting = AS_WRITTEN }: SessionDevices): Encoded {
  const executor = textField(3, "SINGLE_THREADED_EXECUTOR"); // ConfigProto.Experimental.executor_type
  const single = !otherDevices && cpuDevices === 1 && !rewriting.xla;
  return joined([
    ...(cpuDevices === 1 ? [] : [bytesField(1, joined([textField(1, "CPU"), numberField(2, cpuDevices)]))]), // device_count
    numberField(2, 1), // intra_op_parallelism_threads
    numberField(5, -1), // inter_op_parallelism_threads: the calling thread
    numberField(7, 1), // allow_soft_placement
    bytesField(10, graphOptions(rewriting)),
    ...(single ? [bytesField(16, executor)] : []),
  ]);
}

function graphOptions({ optimizers, xla }: Rewriting): Encoded {
  const isNone = optimizers !== "all" && optimizers.length === 0;
  const rewriter = joined([
    ...(isNone ? [numberField(19, 1)] : []), // RewriterConfig.disable_meta_optimizer
    ...(optimizers === "all" ? [] : optimizers.map((name) => textField(100, name))), // optimizers
  ]);
  const compiler = joined([numberField(5, 2), numberField(7, 1)]); // OptimizerOptions: global_jit_level ON_2, cpu_global_jit
  return joined([
    ...(xla ? [bytesField(3, compiler)] : []), // optimizer_options
    bytesField(10, rewriter), // rewrite_options
  ]);
}
