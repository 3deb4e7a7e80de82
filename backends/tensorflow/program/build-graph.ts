/**
 * Makes one graph of what two traces have in common.
 *
 * A tensor that JavaScript made is a constant only if both traces made the same one; one that differs must be the key
 * of the same draw in both. So nothing that changes with the micro-batch can become a constant unnoticed.
 */
import { type Numbers, UncompilableError } from "../../compiler.js";
import { UNIFORM } from "../dropout.js";
import type { Binding, OperationAttribute } from "../native-package.js";
import { type Encoded, type GraphNode, value } from "./graph-def.js";
import { place, sameShape } from "./nodes.js";
import type { FeedPlace } from "./session.js";
import { simplify } from "./simplify.js";
import type { HostTensor, TensorFlowTrace, TensorId, TracedOperation } from "./trace.js";

export interface Graph {
  readonly nodes: GraphNode[];
  readonly variables: { index: number; name: string; assign: string; feed: FeedPlace }[];
  readonly feeds: FeedPlace[];
  /** For each feed its index among the inputs, followed by the draws. */
  readonly inputs: number[];
  readonly draws: number[];
  readonly fetches: string[];
  /** For each fetch the index of its output. */
  readonly wanted: number[];
}

interface Build {
  readonly binding: Binding;
  readonly first: TensorFlowTrace;
  readonly second: TensorFlowTrace;
  readonly graph: Graph;
  /** For each trace, the node outputs that its tensors correspond to. */
  readonly names: readonly [Map<TensorId, string>, Map<TensorId, string>];
}

/** @throws {UncompilableError} if the traces differ in anything but inputs, variables and draws. */
export function buildGraph(binding: Binding, first: TensorFlowTrace, second: TensorFlowTrace): Graph {
  if (first.list.length !== second.list.length) throw new UncompilableError("it uses different operations each time");
  const graph: Graph = { nodes: [], variables: [], feeds: [], inputs: [], draws: [], fetches: [], wanted: [] };
  const build: Build = { binding, first, second, graph, names: [new Map(), new Map()] };
  addVariables(build);
  addInputs(build);
  for (const [i, operation] of second.list.entries()) addOperation(build, i, operation, first.list[i]);
  addOutputs(build);
  const kept = [...graph.fetches, ...graph.variables.flatMap(({ name, assign }) => [name, assign])];
  return { ...graph, nodes: simplify(graph.nodes, [...kept, ...graph.feeds.map(({ name }) => name)]) };
}

/** Notes that a tensor of each trace is this output of a node. */
function nameTensor({ names }: Build, name: string, a: TensorId | undefined, b: TensorId | undefined): void {
  if (a !== undefined) names[0].set(a, name);
  if (b !== undefined) names[1].set(b, name);
}

function addVariables(build: Build): void {
  const { binding, first, second, graph } = build;
  second.computation.variables.forEach((tensor, index) => {
    const type = { dtype: value.type(binding.TF_FLOAT) };
    const shape = { shape: value.shape(tensor.shape) };
    const [name, handle, next, assign] = ["", "_handle", "_next", "_assign"].map((part) => `variable${index}${part}`);
    const named = { ...type, ...shape, shared_name: value.text(name) };
    graph.nodes.push(
      { name: handle, operation: "VarHandleOp", inputs: [], attributes: named },
      { name, operation: "ReadVariableOp", inputs: [handle], attributes: type, shapes: [tensor.shape] },
      { name: next, operation: "Placeholder", inputs: [], attributes: { ...type, ...shape } },
      { name: assign, operation: "AssignVariableOp", inputs: [handle, next], attributes: type },
    );
    graph.variables.push({ index, name, assign, feed: { name: next, type: binding.TF_FLOAT, shape: tensor.shape } });
    nameTensor(build, name, first.variables[index], second.variables[index]);
  });
}

function addInputs(build: Build): void {
  const { binding, first, second, graph } = build;
  second.computation.inputs.forEach((tensor, index) => {
    const type = tensor.dtype === "int32" ? binding.TF_INT32 : binding.TF_FLOAT;
    addFeed(graph, `input${index}`, index, type, tensor.shape);
    nameTensor(build, `input${index}`, first.inputs[index], second.inputs[index]);
  });
}

function addFeed({ nodes, feeds, inputs }: Graph, name: string, index: number, type: number, shape: number[]): void {
  const attributes = { dtype: value.type(type), shape: value.shape(shape) };
  nodes.push({ name, operation: "Placeholder", inputs: [], attributes, shapes: [shape] });
  feeds.push({ name, type, shape });
  inputs.push(index);
}

/** The node output that both tensors correspond to. A constant or a key becomes a node when it is first used. */
function commonName(build: Build, a: TensorId, b: TensorId): string {
  const { first, second, graph, names } = build;
  const [nameA, nameB] = [names[0].get(a), names[1].get(b)];
  if (nameA !== nameB) throw new UncompilableError("its operations are connected differently each time");
  if (nameA !== undefined) return nameA;
  const [hostA, hostB] = [first.constants.get(a)!, second.constants.get(b)!];
  if (!alike(hostA, hostB)) throw new UncompilableError("it makes tensors of different shapes each time");
  const { type, shape, values } = hostB;
  let name = `constant${graph.nodes.length}`;
  if (a === b || equal(hostA.values, values)) {
    const attributes = { dtype: value.type(type), value: value.tensor(type, shape, values) };
    graph.nodes.push({ name, operation: "Const", inputs: [], attributes, shapes: [shape] });
  } else {
    name = `draw${graph.draws.length}`;
    addFeed(graph, name, second.computation.inputs.length + graph.draws.length, type, [...shape]);
    graph.draws.push(drawOf(first, second, hostA, hostB));
  }
  nameTensor(build, name, a, b);
  return name;
}

function addOperation(build: Build, index: number, operation: TracedOperation, other: TracedOperation): void {
  if (!sameOperation(operation, other)) throw new UncompilableError("it uses different operations each time");
  const name = `operation${index}`;
  const encoded = operation.attributes.map((attribute) => encodeAttribute(build.binding, attribute));
  const inputs = operation.inputs.map((id, i) => commonName(build, other.inputs[i], id));
  // A key that both traces share would draw the same numbers in every run.
  if (operation.name === UNIFORM && !inputs[1].startsWith("draw")) {
    throw new UncompilableError("it draws random numbers by a key that stays the same");
  }
  // XLA draws different numbers from the same key, so it must not compile the draws.
  if (operation.name === UNIFORM) encoded.push(["_XlaCompile", value.flag(false)]);
  const shapes = operation.outputs.map(({ shape }) => shape);
  build.graph.nodes.push({
    name,
    operation: operation.name,
    inputs,
    attributes: Object.fromEntries(encoded),
    shapes,
  });
  operation.outputs.forEach(({ id }, i) => {
    nameTensor(build, place(name, i), other.outputs[i].id, id);
  });
}

function addOutputs(build: Build): void {
  const { binding, first, second, graph } = build;
  second.outputs.forEach((id, index) => {
    const other = first.outputs[index];
    if ((id === undefined) !== (other === undefined)) throw new UncompilableError("it has different outputs each time");
    if (id === undefined || other === undefined) return;
    // A feed can't be fetched itself.
    const name = `output${index}`;
    const attributes = { T: value.type(binding.TF_FLOAT) };
    graph.nodes.push({ name, operation: "Identity", inputs: [commonName(build, other, id)], attributes });
    graph.fetches.push(name);
    graph.wanted.push(index);
  });
}

function sameOperation(a: TracedOperation, b: TracedOperation): boolean {
  return (
    a.name === b.name &&
    a.inputs.length === b.inputs.length &&
    a.outputs.length === b.outputs.length &&
    a.outputs.every(
      (output, i) => output.dtype === b.outputs[i].dtype && sameShape(output.shape, b.outputs[i].shape),
    ) &&
    JSON.stringify(a.attributes) === JSON.stringify(b.attributes)
  );
}

const alike = (a: HostTensor, b: HostTensor): boolean => a.type === b.type && sameShape(a.shape, b.shape);

function equal(a: Numbers, b: Numbers): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Numbers): Buffer => Buffer.from(buffer, byteOffset, byteLength);
  return bytes(a).equals(bytes(b));
}

/** The index of the draw that both tensors are the key of. */
function drawOf(first: TensorFlowTrace, second: TensorFlowTrace, a: HostTensor, b: HostTensor): number {
  const [keysA, keysB] = [first, second].map(({ computation }) => computation.draws);
  const found = keysB.findIndex((key, i) => equal(key, b.values) && equal(keysA[i], a.values));
  if (found < 0) throw new UncompilableError(`it makes a tensor of shape [${b.shape}] that changes each time`);
  return found;
}

function encodeAttribute(binding: Binding, { name, type, value: given }: OperationAttribute): [string, Encoded] {
  const isList = Array.isArray(given);
  switch (type) {
    case binding.TF_ATTR_STRING:
      return [name, value.text(given as string)];
    case binding.TF_ATTR_INT:
      return [name, isList ? value.integers(given) : value.integer(Number(given))];
    case binding.TF_ATTR_FLOAT:
      return [name, isList ? value.floats(given) : value.float(given as number)];
    case binding.TF_ATTR_BOOL:
      return [name, isList ? value.flags(given) : value.flag(Boolean(given))];
    case binding.TF_ATTR_TYPE:
      return [name, value.type(given as number)];
    case binding.TF_ATTR_SHAPE:
      return [name, value.shape(given as number[])];
    default:
      throw new UncompilableError(`it uses an operation whose attribute ${name} is of an unknown type`);
  }
}
