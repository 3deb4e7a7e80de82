/**
 * Makes one graph of what two traces have in common, and runs it in a session: an operation then costs a tenth of what it
 * costs when JavaScript calls it, and numbers are copied directly between TensorFlow's memory and JavaScript's arrays.
 *
 * A tensor that JavaScript made is a constant only if both traces made the same one; one that differs must be the key of
 * the same draw in both. So nothing that changes with the micro-batch can be frozen unseen.
 */
import { type Numbers, type Program, UncompilableError } from "../../compiler.js";
import { UNIFORM } from "../dropout.js";
import type { Binding, OperationAttribute } from "../native-package.js";
import { type Encoded, encodeConfig, encodeGraph, type GraphNode, type SessionDevices, value } from "./graph-def.js";
import { sizeOf } from "./graph-size.js";
import type { FeedPlace, SessionAddon } from "./session.js";
import { simplify } from "./simplify.js";
import { createProgramSums } from "./sums.js";
import type { HostTensor, TensorFlowTrace, TensorId, TracedOperation } from "./trace.js";
import { createUpload } from "./upload.js";

export function compile(
  binding: Binding,
  addon: SessionAddon,
  devices: SessionDevices,
  first: TensorFlowTrace,
  second: TensorFlowTrace,
): Program {
  const graph = buildGraph(binding, first, second);
  const session = addon.open(encodeGraph(graph.nodes, devices), encodeConfig(devices));
  const { variables, feeds, inputs, fetches, wanted } = graph;
  const unwanted = second.outputs.flatMap((id, index) => (id === undefined ? [index] : []));
  const assign = addon.prepare(
    session,
    variables.map(({ feed }) => feed),
    [],
    variables.map(({ assign }) => assign),
  );
  const read = addon.prepare(
    session,
    [],
    variables.map(({ name }) => name),
    [],
  );
  const compute = addon.prepare(session, feeds, fetches, []);
  const fed = (values: readonly Numbers[]): Numbers[][] => inputs.map((index) => [values[index]]);
  const extendable = addon.extend && { ...addon, extend: addon.extend };
  const uploaded = variables.map(({ name, feed: { shape } }) => ({ name, shape }));
  const upload = extendable && devices.otherDevices ? createUpload(extendable, session, devices, uploaded) : undefined;
  return {
    size: sizeOf(graph.nodes),
    draws: graph.draws,
    load(values) {
      const inputs = variables.map(({ index }) => values[index]);
      if (upload?.(inputs)) return;
      // `assign` may write to the tensors of its last call, which an upload has taken from the variables since.
      if (upload !== undefined || addon.assign === undefined) addon.run(session, assign, inputs, []);
      else addon.assign(session, assign, read, inputs);
    },
    variables() {
      const all = second.computation.variables.map(({ size }) => new Float32Array(size));
      addon.run(
        session,
        read,
        [],
        variables.map(({ index }) => [all[index]]),
      );
      return all;
    },
    run(values, outputs) {
      for (const index of unwanted) for (const array of outputs[index]) array.fill(0);
      return addon.run(
        session,
        compute,
        fed(values),
        wanted.map((index) => outputs[index]),
      );
    },
    sums:
      extendable &&
      ((form) => {
        const outputs = second.outputs.map((_, index): string | undefined => fetches[wanted.indexOf(index)]);
        return createProgramSums({ addon: extendable, session, devices, feeds, fed, outputs }, form);
      }),
    close: () => addon.close(session),
  };
}

interface Graph {
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

function buildGraph(binding: Binding, first: TensorFlowTrace, second: TensorFlowTrace): Graph {
  if (first.list.length !== second.list.length) throw new UncompilableError("it takes other operations each time");
  const graph: Graph = { nodes: [], variables: [], feeds: [], inputs: [], draws: [], fetches: [], wanted: [] };
  const { nodes } = graph;
  /** The node's output that a tensor of each trace is. */
  const names: [Map<TensorId, string>, Map<TensorId, string>] = [new Map(), new Map()];
  const place = (name: string, a: TensorId | undefined, b: TensorId | undefined): void => {
    if (a !== undefined) names[0].set(a, name);
    if (b !== undefined) names[1].set(b, name);
  };

  second.computation.variables.forEach((tensor, index) => {
    const type = { dtype: value.type(binding.TF_FLOAT) };
    const shape = { shape: value.shape(tensor.shape) };
    const [name, handle, next, assign] = ["", "_handle", "_next", "_assign"].map((part) => `variable${index}${part}`);
    nodes.push(
      {
        name: handle,
        operation: "VarHandleOp",
        inputs: [],
        attributes: { ...type, ...shape, shared_name: value.text(name) },
      },
      { name, operation: "ReadVariableOp", inputs: [handle], attributes: type, shapes: [tensor.shape] },
      { name: next, operation: "Placeholder", inputs: [], attributes: { ...type, ...shape } },
      { name: assign, operation: "AssignVariableOp", inputs: [handle, next], attributes: type },
    );
    graph.variables.push({ index, name, assign, feed: { name: next, type: binding.TF_FLOAT, shape: tensor.shape } });
    place(name, first.variables[index], second.variables[index]);
  });

  const feed = (name: string, index: number, type: number, shape: readonly number[]): void => {
    const attributes = { dtype: value.type(type), shape: value.shape(shape) };
    nodes.push({ name, operation: "Placeholder", inputs: [], attributes, shapes: [shape] });
    graph.feeds.push({ name, type, shape });
    graph.inputs.push(index);
  };
  const inputs = second.computation.inputs;
  inputs.forEach((tensor, index) => {
    const type = tensor.dtype === "int32" ? binding.TF_INT32 : binding.TF_FLOAT;
    feed(`input${index}`, index, type, tensor.shape);
    place(`input${index}`, first.inputs[index], second.inputs[index]);
  });

  /** The same tensor in both traces; a constant or a key is met here for the first time. */
  const same = (a: TensorId, b: TensorId): string => {
    const [nameA, nameB] = [names[0].get(a), names[1].get(b)];
    if (nameA !== nameB) throw new UncompilableError("its operations are connected in another way each time");
    if (nameA !== undefined) return nameA;
    const [hostA, hostB] = [first.constants.get(a)!, second.constants.get(b)!];
    if (!alike(hostA, hostB)) throw new UncompilableError("it makes tensors of other shapes each time");
    const { type, shape, values } = hostB;
    let name = `constant${nodes.length}`;
    if (a === b || equal(hostA.values, values)) {
      const attributes = { dtype: value.type(type), value: value.tensor(type, shape, values) };
      nodes.push({ name, operation: "Const", inputs: [], attributes, shapes: [shape] });
    } else {
      name = `draw${graph.draws.length}`;
      feed(name, inputs.length + graph.draws.length, type, shape);
      graph.draws.push(drawOf(first, second, hostA, hostB));
    }
    place(name, a, b);
    return name;
  };

  second.list.forEach((operation, i) => {
    const other = first.list[i];
    if (!sameOperation(operation, other)) throw new UncompilableError("it takes other operations each time");
    const name = `operation${i}`;
    const attributes = Object.fromEntries(operation.attributes.map((attribute) => encodeAttribute(binding, attribute)));
    const from = operation.inputs.map((id, j) => same(other.inputs[j], id));
    // A key that both traces share would draw the same numbers in every run.
    if (operation.name === UNIFORM && !from[1].startsWith("draw")) {
      throw new UncompilableError("it draws random numbers by a key that stays the same");
    }
    const shapes = operation.outputs.map(({ shape }) => shape);
    // XLA draws other numbers by the same key, so it has to leave the draws alone.
    const kept = operation.name === UNIFORM ? { ...attributes, _XlaCompile: value.flag(false) } : attributes;
    nodes.push({ name, operation: operation.name, inputs: from, attributes: kept, shapes });
    operation.outputs.forEach(({ id }, j) => {
      place(j === 0 ? name : `${name}:${j}`, other.outputs[j].id, id);
    });
  });

  second.outputs.forEach((id, index) => {
    const other = first.outputs[index];
    if ((id === undefined) !== (other === undefined)) throw new UncompilableError("it has other outputs each time");
    if (id === undefined || other === undefined) return;
    // What is fed can't be fetched as it is.
    const name = `output${index}`;
    const attributes = { T: value.type(binding.TF_FLOAT) };
    nodes.push({ name, operation: "Identity", inputs: [same(other, id)], attributes });
    graph.fetches.push(name);
    graph.wanted.push(index);
  });
  const kept = [...graph.fetches, ...graph.variables.flatMap(({ name, assign }) => [name, assign])];
  return { ...graph, nodes: simplify(nodes, [...kept, ...graph.feeds.map(({ name }) => name)]) };
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

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((length, i) => length === b[i]);

const alike = (a: HostTensor, b: HostTensor): boolean => a.type === b.type && sameShape(a.shape, b.shape);

function equal(a: Numbers, b: Numbers): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Numbers): Buffer => Buffer.from(buffer, byteOffset, byteLength);
  return bytes(a).equals(bytes(b));
}

/** The index of the draw whose key both tensors are. */
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
