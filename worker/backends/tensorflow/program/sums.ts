/** A program's sums in the variables of its session: each call runs a graph that is added when it is first needed. */
import type { Numbers } from "../../compiler.js";
import type { GradientForm, HostVectors, ProgramSums, SumsOperation, Weights } from "../../program-sums.js";
import { encodeGraph, type SessionDevices } from "./graph-def.js";
import { TYPE } from "./graph-writer.js";
import type { ExtendableAddon, FeedPlace, SessionHandle } from "./session.js";
import { gradientGraph, operationsGraph, readGraph, type Sum, type SumsGraph } from "./sums-graph.js";

/** A program's session, and what it is fed and gives. */
export interface SummedProgram {
  readonly addon: ExtendableAddon;
  readonly session: SessionHandle;
  readonly devices: SessionDevices;
  readonly feeds: readonly FeedPlace[];
  /** Of all that a run is given, what it is fed. */
  fed(values: readonly Numbers[]): readonly (readonly Numbers[])[];
  /** By name; undefined: it gives none of this number. */
  readonly outputs: readonly (string | undefined)[];
}

/**
 * On a GPU, TensorFlow's kernels take numbers that are no normal float32 (below 2^-126) for 0, but the host doesn't, and some
 * of a run's additions are made there. So that none of them meets such a number, a gradient's elements below 2^-50 are 0
 * from the start: then g² and its product with a weight of at least 2^-26 are normal, and so is every difference of sums
 * that isn't 0. (Adam divides by sqrt(v) + ε, beside which they are nothing.)
 */
const SMALLEST_ON_DEVICE = 2 ** -50;
const SMALLEST_WEIGHT_ON_DEVICE = 2 ** -26;

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
  /** The call of this key; a new one if there is none. */
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
    smallestWeight: flushes ? SMALLEST_WEIGHT_ON_DEVICE : 0,
    compute(inputs) {
      addon.run(...computing(inputs));
      return computed();
    },
    perform(operations) {
      for (const group of groupsOf(operations)) {
        const call = callOf(group.map(keyOf).join(), () => operationsGraph(vectors, group, prepared.size));
        const weights = group.flatMap((operation) => weightsOf(operation) ?? []);
        addon.run(
          session,
          call,
          weights.map((weight) => [Float32Array.of(weight)]),
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

const weightsOf = (operation: SumsOperation): Weights => ("weights" in operation ? operation.weights : undefined);

/**
 * Operations that are one call: those up to the next addition. TensorFlow needs some time for each graph that is new, so there
 * are few: a handful for each slot, whatever the leases are.
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

/** Groups of the same keys are the same graph. */
function keyOf(operation: SumsOperation): string {
  const { kind, slot } = operation;
  const weighed = weightsOf(operation) === undefined ? "" : " weighed";
  return `${kind} ${slot}${kind === "add" ? ` into ${operation.into}` : weighed}`;
}
