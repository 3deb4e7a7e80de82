/** A program's sums, in variables of its session. Each kind of call runs a graph that is added when first needed. */
import type { Numbers } from "../../compiler.js";
import type { CoefficientPair, GradientForm, HostVectors, ProgramSums, SumsOperation } from "../../program-sums.js";
import { encodeGraph, type SessionDevices } from "./graph-def.js";
import { TYPE } from "./graph-writer.js";
import type { ExtendableAddon, FeedPlace, SessionHandle } from "./session.js";
import { gradientGraph, operationsGraph, readGraph, type Sum, type SumsGraph } from "./sums-graph.js";

/** A program's session, its feeds and its outputs. */
export interface SummedProgram {
  readonly addon: ExtendableAddon;
  readonly session: SessionHandle;
  readonly devices: SessionDevices;
  readonly feeds: readonly FeedPlace[];
  /** Selects the session's feeds from the values that a run is given. */
  fed(values: readonly Numbers[]): readonly (readonly Numbers[])[];
  /** The names of the outputs; undefined: there is none at this index. */
  readonly outputs: readonly (string | undefined)[];
}

/**
 * On a GPU, TensorFlow's kernels flush subnormal float32 numbers (below 2^-126) to 0; the host, where some of a run's
 * additions are made, does not. So that no addition meets such a number, a gradient's elements below 2^-50 are set to 0
 * first: then g² and its product with a coefficient of at least 2^-26 are normal, and so is every nonzero difference of
 * sums. (Adam divides by sqrt(v) + ε, compared with which such elements are negligible.)
 */
const SMALLEST_ON_DEVICE = 2 ** -50;
const SMALLEST_COEFFICIENT_ON_DEVICE = 2 ** -26;

export function createProgramSums(program: SummedProgram, form: GradientForm): ProgramSums {
  const { addon, session, devices } = program;
  const { vectors } = form;
  const flushes = devices.otherDevices;
  const names = program.outputs.filter((name) => name !== undefined);

  const prepare = (graph: SumsGraph, feeds: readonly FeedPlace[], outer: readonly string[] = []): number => {
    addon.extend(session, encodeGraph(graph.nodes, devices), outer);
    return addon.prepare(session, feeds, graph.fetches, graph.targets);
  };
  const prepared = new Map<string, number>();
  /** The call with this key, which is prepared if there is none yet. */
  const callOf = (key: string, graph: () => SumsGraph): number => {
    let call = prepared.get(key);
    if (call === undefined) {
      const made = graph();
      call = prepare(
        made,
        made.feeds.map((name) => ({ name, type: TYPE.float32, shape: [] })),
      );
      prepared.set(key, call);
    }
    return call;
  };

  const gradient = gradientGraph(form, program.outputs, flushes ? SMALLEST_ON_DEVICE : undefined);
  const compute = prepare(gradient, program.feeds, names);
  const loss = new Float32Array(1);
  const finite = new Uint8Array(1);

  const copying = (sums: readonly Sum[], to: HostVectors, isLookedAt: boolean) => {
    const call = callOf(`${sums}`, () => readGraph(vectors, sums, isLookedAt));
    const arrays = to.map((array) => [array]);
    return [session, call, [], isLookedAt ? [...arrays, [finite]] : arrays, true] as const;
  };
  const reading = (slot: number, s1: HostVectors, s2: HostVectors | undefined) =>
    s2 === undefined ? copying([`${slot}/s1`], s1, false) : copying([`${slot}/s1`, `${slot}/s2`], [...s1, ...s2], true);
  const computing = (inputs: readonly Numbers[]) =>
    [session, compute, program.fed(inputs), [[loss], [finite]], true] as const;
  const computed = () => ({ loss: loss[0], finite: finite[0] === 1 });
  const { runLater } = addon;

  return {
    smallestCoefficient: flushes ? SMALLEST_COEFFICIENT_ON_DEVICE : 0,
    compute(inputs) {
      addon.run(...computing(inputs));
      return computed();
    },
    perform(operations) {
      for (const group of groupsOf(operations)) {
        const call = callOf(group.map(keyOf).join(), () => operationsGraph(vectors, group, prepared.size));
        const coefficients = group.flatMap((operation) => coefficientsOf(operation) ?? []);
        addon.run(
          session,
          call,
          coefficients.map((coefficient) => [Float32Array.of(coefficient)]),
          [],
        );
      }
    },
    readGradient: (to) => void addon.run(...copying(["gradient"], to, false)),
    read(slot, s1, s2) {
      addon.run(...reading(slot, s1, s2));
      return s2 === undefined || finite[0] === 1;
    },
    later: runLater && {
      compute: (inputs) => runLater(...computing(inputs)).then(computed),
      read: (slot, s1, s2) => runLater(...reading(slot, s1, s2)).then(() => s2 === undefined || finite[0] === 1),
    },
  };
}

const coefficientsOf = (operation: SumsOperation): CoefficientPair =>
  "coefficients" in operation ? operation.coefficients : undefined;

/**
 * Groups operations into calls, each of any number of `square`s and the operation that follows them. TensorFlow needs
 * some time for each new graph, so there are only a few per slot, regardless of the leases.
 */
function groupsOf(operations: readonly SumsOperation[]): SumsOperation[][] {
  const groups: SumsOperation[][] = [];
  let isOpen = false;
  for (const operation of operations) {
    if (isOpen) groups.at(-1)!.push(operation);
    else groups.push([operation]);
    isOpen = operation.kind === "square";
  }
  return groups;
}

/** Identifies an operation: groups whose operations have the same keys share a graph. */
function keyOf(operation: SumsOperation): string {
  const { kind, slot } = operation;
  const suffix = coefficientsOf(operation) === undefined ? "" : " with coefficients";
  return `${kind} ${slot}${kind === "add" ? ` into ${operation.into}` : suffix}`;
}
