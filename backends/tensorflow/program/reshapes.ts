/**
 * Removes Reshapes between operations for which the shape makes no difference. tfjs reshapes to rows before every
 * matrix product, and back after it. Here a Reshape is only noted; an operation that computes element by element, or
 * row by row, does so in the shape that its input already has; and an operation for which the shape matters gets a
 * Reshape to the one that it expects. All elements stay in order and are combined with the same ones, so their bits do
 * not change.
 */
import { type Encoded, type GraphNode, value } from "./graph-def.js";
import { INT32, isAscending, isConstant, isOne, nodeOf, type Shape, sameShape, shapeOf } from "./nodes.js";

/** Operations that compute each element from one element. */
const ELEMENTWISE = new Set([
  ...["Abs", "Neg", "Exp", "Expm1", "Log", "Log1p", "Sqrt", "Rsqrt", "Square", "Reciprocal", "Sign", "Erf", "Cast"],
  ...["Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Softplus", "Tanh"],
]);
/** Operations that compute each row along the last axis from that row. */
const ROW_BY_ROW = new Set(["Softmax", "LogSoftmax"]);
/** Operations that compute each element from an element of each of two tensors, which may be broadcast. */
const OF_TWO = new Set(["Add", "AddV2", "Sub", "Mul", "RealDiv", "Maximum", "Minimum"]);
/** The same for two tensors that must have the same shape. */
const OF_TWO_ALIKE = new Set(["ReluGrad", "Relu6Grad", "EluGrad", "SeluGrad", "SigmoidGrad", "TanhGrad"]);
const REDUCING = new Set(["Sum", "Mean", "Max", "Min"]);
/** Operations that repeat their first input, in a shape that the second one gives. */
const REPEATING = new Set(["Tile", "BroadcastTo"]);

type Attributes = Readonly<Record<string, Encoded>>;

/** An output that is computed in a shape other than the graph's. */
interface View {
  readonly source: string;
  readonly shape: Shape;
  /** The attributes of a Reshape between the two shapes. */
  readonly attributes: Attributes;
}

/** How an operation is computed in a shape other than the graph's. */
type Reshaped = Pick<View, "shape" | "attributes"> & { readonly inputs: readonly string[] };

interface Pass {
  /** The original nodes. */
  readonly given: ReadonlyMap<string, GraphNode>;
  readonly result: Map<string, GraphNode>;
  /** The views by the names of the given nodes; nodes without a view are computed in the given shape. */
  readonly views: Map<string, View>;
}

/** @param kept the names of nodes that stay as they are */
export function withFewReshapes(nodes: readonly GraphNode[], kept: ReadonlySet<string>): GraphNode[] {
  const pass: Pass = { given: new Map(nodes.map((node) => [node.name, node])), result: new Map(), views: new Map() };
  for (const node of nodes) {
    const free = node.shapes?.length === 1 && !kept.has(node.name);
    if (free && node.operation === "Reshape" && isNoted(pass, node)) continue;
    const reshaped = free ? inOtherShape(pass, node, node.shapes[0]) : undefined;
    if (reshaped === undefined) {
      pass.result.set(node.name, { ...node, inputs: node.inputs.map((input) => asGiven(pass, input)) });
    } else {
      const { inputs, shape, attributes } = reshaped;
      pass.result.set(node.name, { ...node, inputs, shapes: [shape] });
      pass.views.set(node.name, { source: node.name, shape, attributes });
    }
  }
  return [...pass.result.values()];
}

const givenShape = (pass: Pass, input: string): Shape | undefined => shapeOf(input, pass.given);

const shapeNow = (pass: Pass, input: string): Shape | undefined =>
  pass.views.get(input)?.shape ?? givenShape(pass, input);

const sourceOf = (pass: Pass, input: string): string => pass.views.get(input)?.source ?? input;

/** Notes what a Reshape is a view of. @returns false if a shape is unknown, so that the Reshape must stay. */
function isNoted(pass: Pass, { name, inputs: [input], attributes, shapes }: GraphNode): boolean {
  const shape = shapeNow(pass, input);
  if (shape === undefined || shapes === undefined) return false;
  const before = pass.result.get(sourceOf(pass, input));
  const [repeated] = before?.inputs ?? [];
  // A repeated single element can be repeated in any shape.
  if (before !== undefined && REPEATING.has(before.operation) && isOne(shapeOf(repeated, pass.result))) {
    const [to] = shapes;
    const one = inShape(
      pass,
      repeated,
      to.map(() => 1),
      attributes,
    );
    pass.result.set(name, { ...before, name, inputs: [one, integers(pass, to)], shapes });
  } else {
    pass.views.set(name, { source: sourceOf(pass, input), shape, attributes });
  }
  return true;
}

/** An input in the shape that the graph gives it. */
function asGiven(pass: Pass, input: string): string {
  if (input.startsWith("^")) return `^${nodeOf(sourceOf(pass, input.slice(1)))}`;
  const view = pass.views.get(input);
  return view === undefined ? input : inShape(pass, input, givenShape(pass, input)!, view.attributes);
}

/** An input in another shape of the same number of elements. */
function inShape(pass: Pass, input: string, shape: Shape, attributes: Attributes): string {
  const source = sourceOf(pass, input);
  const now = pass.views.get(input)?.shape ?? shapeOf(input, pass.given) ?? shapeOf(input, pass.result);
  if (now !== undefined && sameShape(now, shape)) return source;
  const name = `${source.replace(":", "_")}_as_${shape.join("x")}`;
  if (!pass.result.has(name)) {
    const inputs = [source, integers(pass, shape)];
    pass.result.set(name, { name, operation: "Reshape", inputs, attributes, shapes: [shape] });
  }
  return name;
}

function integers(pass: Pass, values: readonly number[]): string {
  const name = `integers_${values.join("x")}`;
  const shape = [values.length];
  const attributes = { dtype: value.type(INT32), value: value.tensor(INT32, shape, Int32Array.from(values)) };
  if (!pass.result.has(name))
    pass.result.set(name, { name, operation: "Const", inputs: [], attributes, shapes: [shape] });
  return name;
}

/** How a node can be computed in another shape; undefined if it needs the given shape, or its inputs have it. */
function inOtherShape(pass: Pass, node: GraphNode, shape: Shape): Reshaped | undefined {
  const { operation, inputs } = node;
  if (!inputs.some((input) => pass.views.has(input))) return undefined;
  if (ELEMENTWISE.has(operation) || ROW_BY_ROW.has(operation)) return ofOne(pass, node);
  if (OF_TWO.has(operation) || OF_TWO_ALIKE.has(operation)) return ofTwo(pass, node, shape);
  if (REDUCING.has(operation)) return reduction(pass, node, shape);
  return operation === "BatchMatMulV2" ? product(pass, node, shape) : undefined;
}

function ofOne(pass: Pass, { operation, inputs: [input], attributes }: GraphNode): Reshaped | undefined {
  const view = pass.views.get(input)!;
  if (ROW_BY_ROW.has(operation) && view.shape.at(-1) !== givenShape(pass, input)?.at(-1)) return undefined;
  const ofResult = operation === "Cast" ? { ...view.attributes, T: attributes.DstT } : view.attributes;
  return { inputs: [view.source], shape: view.shape, attributes: ofResult };
}

/** Computes in the shape with the fewest axes that any input of the output's full size has. */
function ofTwo(pass: Pass, { operation, inputs }: GraphNode, shape: Shape): Reshaped | undefined {
  const isWhole = (input: string): boolean => sameShape(givenShape(pass, input) ?? [], shape);
  const [view] = inputs
    .flatMap((input) => (isWhole(input) ? (pass.views.get(input) ?? []) : []))
    .sort((a, b) => a.shape.length - b.shape.length);
  if (view === undefined || view.shape.length > shape.length || sameShape(view.shape, shape)) return undefined;
  if (OF_TWO_ALIKE.has(operation) && !inputs.every(isWhole)) return undefined;
  const { shape: now, attributes } = view;
  const shapes = inputs.map((input) => (isWhole(input) ? now : broadcastShape(givenShape(pass, input), shape, now)));
  if (shapes.some((of) => of === undefined)) return undefined;
  return { inputs: inputs.map((input, i) => inShape(pass, input, shapes[i]!, attributes)), shape: now, attributes };
}

/**
 * The shape from which a tensor that was broadcast from `shape` to `given` can be broadcast to `now`, so that all
 * elements are combined with the same ones; undefined if there is none.
 */
function broadcastShape(shape: Shape | undefined, given: Shape, now: Shape): Shape | undefined {
  if (shape === undefined) return undefined;
  const from = shape.findIndex((length) => length !== 1);
  const row = from < 0 ? [] : shape.slice(from);
  const endsWith = (whole: Shape): boolean =>
    row.length <= whole.length && sameShape(row, whole.slice(whole.length - row.length));
  // The same elements for each row, …
  if (endsWith(given)) return endsWith(now) ? row : undefined;
  // … or one element for each row.
  const onePerRow = (of: Shape): Shape => [...of.slice(0, -1), 1];
  return given.at(-1) === now.at(-1) && sameShape(shape, onePerRow(given)) ? onePerRow(now) : undefined;
}

/** Handles reductions over some leading axes, all axes, or the last axis. */
function reduction(pass: Pass, { inputs: [input, axesInput] }: GraphNode, shape: Shape): Reshaped | undefined {
  const [view, given] = [pass.views.get(input), givenShape(pass, input)];
  const axesNode = pass.given.get(axesInput);
  if (view === undefined || given === undefined) return undefined;
  const { shape: now, attributes } = view;
  let axes: number[] | undefined;
  if (isAscending(axesNode)) {
    const rest = given.slice(axesNode!.shapes![0][0]);
    const count = now.length - rest.length;
    if (count > 0 && sameShape(rest, now.slice(count))) axes = Array.from({ length: count }, (_, axis) => axis);
  } else if (isConstant(axesNode, [given.length - 1]) && given.at(-1) === now.at(-1)) {
    axes = [now.length - 1];
  }
  if (axes === undefined) return undefined;
  const isReduced = (axis: number): boolean => axes.includes(axis);
  const keepsAxes = shape.length === given.length;
  const left = now.flatMap((length, axis) => (isReduced(axis) ? (keepsAxes ? [1] : []) : [length]));
  return { inputs: [view.source, integers(pass, axes)], shape: left, attributes };
}

/** Computes a batch of one product as the product of two matrices. */
function product(pass: Pass, { inputs }: GraphNode, shape: Shape): Reshaped | undefined {
  const views = inputs.flatMap((input) => {
    const [view, given] = [pass.views.get(input), givenShape(pass, input)];
    return view !== undefined && given !== undefined && sameShape(view.shape, given.slice(-2)) ? [view] : [];
  });
  if (views.length !== 2) return undefined;
  return { inputs: views.map(({ source }) => source), shape: shape.slice(-2), attributes: views[0].attributes };
}
