/**
 * How a model computes its layers, in place of tfjs's own way. tfjs hands one object of options from layer to layer; a mask
 * or an initial state that one layer was given stays in it, so all later layers get it too, and tfjs treats a nested model
 * as a layer without masks. Here each call of a layer gets only what belongs to it.
 */
import {
  broadcastTo,
  clone,
  concat,
  dispose,
  max,
  maximum,
  ones,
  onesLike,
  reshape,
  type Tensor,
  tidy,
} from "../../tfjs/core.js";
import type { Layer } from "../capture-weights.js";
import { graphIn, type LayerGraph, type Step, stepsOf } from "../graph.js";
import { maskRule, takesMask } from "../masks.js";
import { tensorflow as tf } from "../tensorflow.js";

/** 0 where a position is masked, else 1; shape [samples, …]. */
type Mask = Tensor | undefined;

interface Computed {
  readonly outputs: Tensor[];
  /** One for each output. */
  readonly masks: Mask[];
}

interface Options {
  readonly training?: boolean;
  readonly mask?: Tensor | Mask[];
}

/** What is known of a graph before any samples: its calls, and the values that are no longer needed after each. */
interface Plan {
  readonly steps: readonly Step[];
  readonly last: readonly (readonly unknown[])[];
}

type ModelCall = (this: LayerGraph, inputs: Tensor | Tensor[], options?: Options) => Tensor[];

export function repairGraphs(): void {
  const container = Object.getPrototypeOf(tf.LayersModel.prototype) as { call: ModelCall };
  container.call = function (inputs, options = {}) {
    const { mask } = options;
    return tidy(() => compute(this, asList(inputs), mask === undefined ? [] : asList(mask), options).outputs);
  };
}

/** The output of a model with one input and one output, and the output's mask. Called inside a `tidy`. */
export function applyModel(
  model: LayerGraph,
  input: Tensor,
  options: { readonly training: boolean },
): { readonly output: Tensor; readonly mask: Mask } {
  const { outputs, masks } = compute(graphIn(model) ?? model, [input], [], options);
  return { output: outputs[0], mask: masks[0] };
}

const asList = <T>(values: T | T[]): T[] => (Array.isArray(values) ? values : [values]);

function compute(
  graph: LayerGraph,
  inputs: readonly Tensor[],
  inputMasks: readonly Mask[],
  { training }: Options,
): Computed {
  const { steps, last } = planOf(graph);
  const values = new Map<unknown, Tensor>();
  const masks = new Map<unknown, Mask>();
  for (const [i, input] of graph.inputs.entries()) {
    values.set(input, fitting(inputs[i], input.dtype));
    masks.set(input, inputMasks[i] ?? undefined);
  }
  for (const [n, { layer, inputs: symbols, outputs }] of steps.entries()) {
    const taken = symbols.map((symbol) => values.get(symbol) as Tensor);
    const takenMasks = symbols.map((symbol) => masks.get(symbol));
    const inner = graphIn(layer);
    const results =
      inner === undefined
        ? computeLayer(layer, taken, takenMasks, training)
        : compute(inner, taken, takenMasks, { training });
    for (const [i, output] of outputs.entries()) {
      // A nested model may return its input, which is freed elsewhere.
      values.set(
        output,
        inner !== undefined && taken.includes(results.outputs[i]) ? clone(results.outputs[i]) : results.outputs[i],
      );
      masks.set(output, results.masks[i]);
    }
    // Gradients need intermediate values; evaluation does not.
    if (!training) dispose(last[n].map((symbol) => values.get(symbol) as Tensor));
  }
  return {
    outputs: graph.outputs.map((output) => values.get(output) as Tensor),
    masks: graph.outputs.map((output) => masks.get(output)),
  };
}

/** An input in the type that the model declares. */
function fitting(value: Tensor, dtype: string | null | undefined): Tensor {
  return dtype == null || dtype === value.dtype ? value : tf.cast(value, dtype as "float32");
}

const plans = new WeakMap<LayerGraph, Plan>();

function planOf(graph: LayerGraph): Plan {
  let plan = plans.get(graph);
  if (plan === undefined) {
    const steps = stepsOf(graph);
    const kept = new Set<unknown>([...graph.inputs, ...graph.outputs]);
    const last: unknown[][] = steps.map(() => []);
    for (let n = steps.length - 1; n >= 0; n--) {
      for (const symbol of [...steps[n].inputs, ...steps[n].outputs]) {
        if (kept.has(symbol)) continue;
        kept.add(symbol);
        last[n].push(symbol);
      }
    }
    plan = { steps, last };
    plans.set(graph, plan);
  }
  return plan;
}

function computeLayer(layer: Layer, inputs: Tensor[], masks: Mask[], training: boolean | undefined): Computed {
  const masked = takesMask(layer) && masks.some((mask) => mask !== undefined);
  const options = masked ? { training, mask: masks[0], masks } : { training };
  const outputs = asList(layer.apply(inputs, options as never) as Tensor | Tensor[]);
  return { outputs, masks: [maskOf(layer, inputs, masks)] };
}

/** The mask of a layer's first output; others, which are states, have none. */
function maskOf(layer: Layer, inputs: Tensor[], masks: Mask[]): Mask {
  const rule = maskRule(layer);
  if (rule === "makes") {
    const mask = layer.computeMask(inputs, undefined as never) as Tensor;
    return tf.cast(mask, "float32");
  }
  if (masks.every((mask) => mask === undefined)) return undefined;
  switch (rule) {
    case "passes":
      return masks[0];
    case "any":
      return masks.includes(undefined) ? undefined : (masks as Tensor[]).reduce((all, mask) => maximum(all, mask));
    case "joins":
      return joined(inputs, masks, (layer as Layer & { axis: number }).axis);
    case "prepends":
      return concat([ones([inputs[0].shape[0], 1]), masks[0] as Tensor], 1);
    default:
      return undefined;
  }
}

/** As in Keras: each mask is spread over its input's numbers, and a position is masked if all its numbers are. */
function joined(inputs: Tensor[], masks: Mask[], axis: number): Tensor {
  const spread = inputs.map((input, i) => {
    const mask = masks[i];
    return mask === undefined ? onesLike(input) : broadcastTo(reshape(mask, [...mask.shape, 1]), input.shape);
  });
  return max(concat(spread, axis), -1);
}
