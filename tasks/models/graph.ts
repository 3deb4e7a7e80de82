/** The calls of layers that a model consists of, in the order in which tfjs computes them. */
import type { Layer, LayersModel } from "./capture-weights.js";
import { tensorflow as tf } from "./tensorflow.js";

export type SymbolicTensor = LayersModel["inputs"][number];

/** One call of a layer. */
export interface Step {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
}

/** A model, or what a Sequential holds inside. */
export interface LayerGraph {
  readonly inputs: SymbolicTensor[];
  readonly outputs: SymbolicTensor[];
}

const known = new WeakMap<LayerGraph, readonly Step[]>();

/**
 * The calls of `graph`, a nested model's as one; each once, after the calls that feed it. The order is that of
 * tfjs's own executor, on which the bits of a gradient depend where three or more of its parts are added up.
 */
export function stepsOf(graph: LayerGraph): readonly Step[] {
  const before = known.get(graph);
  if (before !== undefined) return before;
  const steps: Step[] = [];
  const seen = new Set<SymbolicTensor>(graph.inputs);
  const visit = (tensor: SymbolicTensor): void => {
    if (seen.has(tensor)) return;
    for (const input of [...tensor.inputs].reverse()) visit(input);
    const { sourceLayer: layer, inputs } = tensor;
    const node = layer.inboundNodes.find(({ outputTensors }) => outputTensors.includes(tensor));
    const outputs = node?.outputTensors ?? [tensor];
    for (const output of outputs) seen.add(output);
    steps.push({ layer, inputs, outputs });
  };
  for (const output of graph.outputs) visit(output);
  known.set(graph, steps);
  return steps;
}

/** The graph inside a layer that is a model, else undefined. */
export function graphIn(layer: unknown): LayerGraph | undefined {
  if (!(layer instanceof tf.LayersModel)) return undefined;
  const { model } = layer as LayersModel & { model?: LayersModel };
  return layer instanceof tf.Sequential && model != null ? model : layer;
}
