/**
 * Graphs that keep sums in a session's variables: one that turns a program's outputs into the gradient, one for each
 * sequence of additions that a fold asks for, and one that reads a slot. Within a sequence sums go from operation to
 * operation without a variable between them; a variable is read before the first and assigned after the last.
 *
 * A variable that is assigned another's value shares its memory, which is safe: TensorFlow writes every result to a new
 * tensor.
 */
import type { CoefficientPair, GradientForm, SumsOperation, VectorForm } from "../../program-sums.js";
import { type GraphNode, value } from "./graph-def.js";
import {
  createGraphWriter,
  floatVariable,
  type GraphWriter,
  integers,
  joinedSlices,
  TYPE,
  type Variable,
} from "./graph-writer.js";

export interface SumsGraph {
  readonly nodes: readonly GraphNode[];
  /** The float32 scalars that it takes. */
  readonly feeds: readonly string[];
  readonly fetches: readonly string[];
  /** Operations that must run. */
  readonly targets: readonly string[];
}

const lengthOf = ({ pieces }: VectorForm): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** What variables hold: the gradient, or a slot's S1 or S2. */
export type Sum = "gradient" | `${number}/s1` | `${number}/s2`;

/** The variables of a sum: one for each vector, or for S2 one for each trained vector. */
function variablesOf(writer: GraphWriter, vectors: readonly VectorForm[], sum: Sum): Variable[] {
  return vectors.flatMap((vector, i) =>
    sum.endsWith("/s2") && !vector.trained ? [] : [floatVariable(writer, `sums/${sum}/${i}`, [lengthOf(vector)])],
  );
}

/**
 * Fetches the loss and whether the gradient is finite, and assigns the gradient.
 * @param outputs the names of the program's outputs; undefined: there is none at this index, which means zeros
 * @param smallest elements of smaller magnitude become 0; undefined: all are kept
 */
export function gradientGraph(
  form: GradientForm,
  outputs: readonly (string | undefined)[],
  smallest: number | undefined,
): SumsGraph {
  const writer = createGraphWriter("sums_gradient");
  const { vectors } = form;
  const raw = vectors.map((vector) => vectorOf(writer, vector, outputs));
  const finite = allFinite(writer, raw);
  const clipped = clip(writer, form, raw);
  const gradient = clipped.map((vector, i) => {
    const kept = smallest === undefined ? vector : withoutSmaller(writer, vector, smallest);
    return form.bfloat16 && vectors[i].trained ? roundBfloat16(writer, kept) : kept;
  });
  const variables = variablesOf(writer, vectors, "gradient");
  return {
    nodes: writer.nodes,
    feeds: [],
    fetches: [outputs[form.loss]!, finite],
    targets: variables.map((variable, i) => variable.assign(gradient[i])),
  };
}

function vectorOf(writer: GraphWriter, { pieces }: VectorForm, outputs: readonly (string | undefined)[]): string {
  const slices = pieces.map(({ output, from, length }) => {
    const name = outputs[output];
    return name === undefined
      ? { vector: writer.float("Fill", integers(writer, length), float32(writer, 0)), from: 0, length }
      : { vector: writer.float("Reshape", name, integers(writer, -1)), from, length };
  });
  return joinedSlices(writer, slices);
}

const float32 = (writer: GraphWriter, number: number): string =>
  writer.constant(TYPE.float32, [], Float32Array.of(number));

const float64 = (writer: GraphWriter, number: number): string =>
  writer.constant(TYPE.float64, [], Float64Array.of(number));

const allFinite = (writer: GraphWriter, vectors: readonly string[]): string =>
  vectors
    .map((vector) => writer.add("All", [writer.float("IsFinite", vector), integers(writer, 0)], {}))
    .reduce((all, each) => writer.add("LogicalAnd", [all, each], {}));

/** In float64, as on the host, but the squares of a vector are added in TensorFlow's order. */
function clip(writer: GraphWriter, { vectors, clipNorm }: GradientForm, raw: readonly string[]): readonly string[] {
  if (clipNorm === null) return raw;
  const wide = { T: value.type(TYPE.float64) };
  const squares = raw
    .filter((_, i) => vectors[i].trained)
    .map((vector) => {
      const exact = writer.cast(TYPE.float32, TYPE.float64, vector);
      return writer.add("Sum", [writer.add("Mul", [exact, exact], wide), integers(writer, 0)], wide);
    })
    .reduce((sum, each) => writer.add("AddV2", [sum, each], wide));
  const norm = writer.add("Sqrt", [squares], wide);
  const limit = float64(writer, clipNorm);
  const isWithin = writer.add("LessEqual", [norm, limit], wide);
  const ratio = writer.add("RealDiv", [limit, norm], wide);
  const exact = writer.add("SelectV2", [isWithin, float64(writer, 1), ratio], wide);
  const factor = writer.cast(TYPE.float64, TYPE.float32, exact);
  return raw.map((vector, i) => (vectors[i].trained ? writer.float("Mul", factor, vector) : vector));
}

function withoutSmaller(writer: GraphWriter, vector: string, smallest: number): string {
  const size = writer.float("Abs", vector);
  const isSmaller = writer.float("Less", size, float32(writer, smallest));
  return writer.float("SelectV2", isSmaller, float32(writer, 0), vector);
}

const roundBfloat16 = (writer: GraphWriter, vector: string): string =>
  writer.cast(TYPE.bfloat16, TYPE.float32, writer.cast(TYPE.float32, TYPE.bfloat16, vector));

/**
 * Performs operations in order. It takes w1 and then w2 of each operation that has coefficients, in the same order.
 * @param number the number of the graph, which makes its names differ from those of other graphs
 */
export function operationsGraph(
  vectors: readonly VectorForm[],
  operations: readonly SumsOperation[],
  number: number,
): SumsGraph {
  const writer = createGraphWriter(`sums_operations${number}`);
  const feeds: string[] = [];
  /** The sums as they are after the operations so far; undefined: no longer needed. */
  const now = new Map<Sum, string[] | undefined>();
  const variables = new Map<Sum, Variable[]>();
  const variablesIn = (sum: Sum): Variable[] => {
    const known = variables.get(sum) ?? variablesOf(writer, vectors, sum);
    variables.set(sum, known);
    return known;
  };
  const read = (sum: Sum): string[] => now.get(sum) ?? variablesIn(sum).map((variable) => variable.read());
  const isTrained = vectors.map(({ trained }) => trained);
  const trainedOf = (all: readonly string[]): string[] => all.filter((_, i) => isTrained[i]);
  const add = (into: readonly string[], other: readonly string[]): string[] =>
    into.map((vector, i) => writer.float("AddV2", vector, other[i]));

  /** w1·g and w2·g², rounded as on the host: g² first. */
  const scaled = (gradient: readonly string[], coefficients: CoefficientPair): { s1: string[]; s2: string[] } => {
    const squares = trainedOf(gradient).map((vector) => writer.float("Square", vector));
    if (coefficients === undefined) return { s1: [...gradient], s2: squares };
    const [w1, w2] = coefficients.map(() => {
      const feed = writer.add("Placeholder", [], { dtype: value.type(TYPE.float32), shape: value.shape([]) });
      feeds.push(feed);
      return feed;
    });
    return {
      s1: gradient.map((vector, i) => (isTrained[i] ? writer.float("Mul", w1, vector) : vector)),
      s2: squares.map((vector) => writer.float("Mul", w2, vector)),
    };
  };

  for (const operation of operations) {
    const { kind, slot } = operation;
    const [s1, s2]: [Sum, Sum] = [`${slot}/s1`, `${slot}/s2`];
    switch (kind) {
      case "keep":
        now.set(s1, read("gradient"));
        break;
      case "square": {
        const leaf = scaled(read(s1), operation.coefficients);
        now.set(s1, leaf.s1).set(s2, leaf.s2);
        break;
      }
      case "addGradient": {
        const leaf = scaled(read("gradient"), operation.coefficients);
        now.set(s1, add(read(s1), leaf.s1)).set(s2, add(read(s2), leaf.s2));
        break;
      }
      case "add": {
        const into: [Sum, Sum] = [`${operation.into}/s1`, `${operation.into}/s2`];
        now.set(into[0], add(read(into[0]), read(s1))).set(into[1], add(read(into[1]), read(s2)));
        now.set(s1, undefined).set(s2, undefined);
      }
    }
  }
  const targets = [...now].flatMap(([sum, values]) =>
    values === undefined ? [] : variablesIn(sum).map((variable, i) => variable.assign(values[i])),
  );
  return { nodes: writer.nodes, feeds, fetches: [], targets };
}

/** Fetches `sums`, and after them, if asked for, whether all of them are finite. */
export function readGraph(vectors: readonly VectorForm[], sums: readonly Sum[], finite: boolean): SumsGraph {
  const writer = createGraphWriter(`sums_read_${sums[0].replace("/", "_")}_${sums.length}`);
  const values = sums.flatMap((sum) => variablesOf(writer, vectors, sum).map((variable) => variable.read()));
  const looked = finite ? [allFinite(writer, values)] : [];
  return { nodes: writer.nodes, feeds: [], fetches: [...values, ...looked], targets: [] };
}
