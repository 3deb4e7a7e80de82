/**
 * Where masks go in a model. Embedding with `maskZero`, and Masking, mark positions to be ignored; every layer after
 * them treats the mask as Keras 3 does. tfjs follows Keras 2 in part and mixes up masks otherwise, so its own rules are not
 * used: the check before the start and the computation of the model both follow this table.
 */
import { invalid } from "../../shared/errors.js";
import type { Layer, LayersModel } from "./capture-weights.js";
import { graphIn, type LayerGraph, stepsOf } from "./graph.js";

/**
 * - passes: the output has the input's mask.
 * - sequences: the same if the layer returns sequences; else the masked positions are gone.
 * - makes: the layer makes a mask of its input.
 * - any: a position is masked if it is masked in every input, and no position is if an input has no mask.
 * - joins: the masks one after another along a concatenation; an input without a mask has nothing masked.
 * - prepends: one more position, unmasked, and then the input's.
 * - ends: the output has no masked positions.
 * - drops: the layer sees masked positions like any others, and the mask is lost. Keras warns.
 */
export type MaskRule = "passes" | "sequences" | "makes" | "any" | "joins" | "prepends" | "ends" | "drops";

const RULES: Record<MaskRule, readonly string[]> = {
  passes: [
    ...["Dense", "Dropout", "SpatialDropout1D", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU"],
    ...["BatchNormalization", "LayerNormalization", "GroupNormalization", "Rescaling", "TimeDistributed"],
    ...["SelfAttention", "PositionEmbedding"],
  ],
  sequences: ["RNN", "SimpleRNN", "GRU", "LSTM", "ConvLSTM2D", "Bidirectional"],
  makes: ["Embedding", "Masking"],
  any: ["Add", "Multiply", "Average", "Maximum", "Minimum"],
  joins: ["Concatenate"],
  prepends: ["ClassToken"],
  ends: ["InputLayer", "Dot", "GlobalAveragePooling1D", "FirstPosition"],
  drops: [],
};

const ruleOfClass = new Map(
  Object.entries(RULES).flatMap(([rule, names]) => names.map((name): [string, MaskRule] => [name, rule as MaskRule])),
);

export function maskRule(layer: Layer): MaskRule {
  const className = layer.getClassName();
  const rule = ruleOfClass.get(className) ?? "drops";
  if (className === "Embedding") return (layer as Layer & { maskZero?: boolean }).maskZero ? "makes" : "drops";
  if (rule !== "sequences") return rule;
  return (layer as Layer & { returnSequences: boolean }).returnSequences ? "passes" : "ends";
}

/** Layers that skip masked numbers; their masks have one axis fewer than their inputs. */
const MASKED_OUT = ["Multiply", "Maximum", "Minimum", "BatchNormalization"];

/** Whether the layer's `call` is given the mask; all others that pass it on compute as if there were none. */
const TAKING = new Set([
  ...["RNN", "SimpleRNN", "GRU", "LSTM", "ConvLSTM2D", "Bidirectional"],
  ...["TimeDistributed", "GlobalAveragePooling1D", "SelfAttention", ...MASKED_OUT],
]);

export const takesMask = (layer: Pick<Layer, "getClassName">): boolean => TAKING.has(layer.getClassName());

/** A mask before there are any samples: how many axes it has, with the batch's, and the layer that made it. */
interface Traced {
  readonly rank: number;
  readonly maker: string;
}

/**
 * Follows the masks through a model.
 * @returns one sentence for each layer that drops a mask.
 * @throws {IsobatchError} `invalid_input`, if a layer can't work with the mask that it gets.
 */
export function checkMasks(model: LayersModel): string[] {
  const dropped = new Set<string>();
  const [mask] = trace(
    graphIn(model) ?? model,
    model.inputs.map(() => undefined),
    dropped,
  );
  const axes = model.outputs[0].shape.length;
  // The loss leaves masked positions out.
  if (mask !== undefined && mask.rank !== axes - 1) {
    invalid(
      `The model's output has ${axes} axes, and the mask of "${mask.maker}" still has ${mask.rank}, which must be one less; end in ` +
        "a layer that takes the mask (an RNN without returnSequences, GlobalAveragePooling1D), or leave the masking out.",
    );
  }
  return [...dropped];
}

function trace(
  graph: LayerGraph,
  inputMasks: readonly (Traced | undefined)[],
  dropped: Set<string>,
): (Traced | undefined)[] {
  const masks = new Map<unknown, Traced | undefined>(graph.inputs.map((input, i) => [input, inputMasks[i]]));
  for (const { layer, inputs, outputs } of stepsOf(graph)) {
    const ofInputs = inputs.map((input) => masks.get(input));
    const inner = graphIn(layer);
    const outputMasks =
      inner === undefined
        ? [
            traceLayer(
              layer,
              inputs.map(({ shape }) => shape.length),
              ofInputs,
              dropped,
            ),
          ]
        : trace(inner, ofInputs, dropped);
    for (const [i, output] of outputs.entries()) masks.set(output, outputMasks[i]);
  }
  return graph.outputs.map((output) => masks.get(output));
}

/** @returns the mask of the layer's first output. */
function traceLayer(
  layer: Layer,
  ranks: readonly number[],
  masks: readonly (Traced | undefined)[],
  dropped: Set<string>,
): Traced | undefined {
  const rule = maskRule(layer);
  if (rule === "makes") {
    return { rank: layer.getClassName() === "Masking" ? ranks[0] - 1 : ranks[0], maker: layer.name };
  }
  const masked = masks.findIndex((mask) => mask !== undefined);
  if (masked < 0) return undefined;
  const mask = masks[masked] as Traced;
  const reason = refusalOf(layer, mask, ranks, masks, dropped);
  if (reason !== undefined) {
    invalid(
      `Layer "${layer.name}" (${layer.getClassName()}) gets the mask that "${mask.maker}" makes, ${reason}; leave the ` +
        "masking out, or put that layer where there is no mask.",
    );
  }
  switch (rule) {
    case "passes":
      return masks[0];
    case "any":
      return masks.includes(undefined) ? undefined : mask;
    case "joins":
    case "prepends":
      return mask;
    case "drops":
      dropped.add(
        `Layer "${layer.name}" (${layer.getClassName()}) drops the mask that "${mask.maker}" makes, as in Keras: it and ` +
          "what follows see masked positions like any others.",
      );
  }
  return undefined;
}

/** Why a layer can't be given a mask, as the end of a sentence. */
function refusalOf(
  layer: Layer,
  mask: Traced,
  ranks: readonly number[],
  masks: readonly (Traced | undefined)[],
  dropped: Set<string>,
): string | undefined {
  const className = layer.getClassName();
  if (className === "Softmax") return "which says nothing about the numbers within a position";
  const rule = maskRule(layer);
  const spreads = rule === "joins" || MASKED_OUT.includes(className);
  if (spreads && masks.some((other, i) => other !== undefined && other.rank !== ranks[i] - 1)) {
    return `which has ${mask.rank} axes; it takes masks that have one axis fewer than its inputs`;
  }
  if (rule === "any" && masks.some((other) => other !== undefined && other.rank !== mask.rank)) {
    return "and another one with more or fewer axes";
  }
  if (className === "TimeDistributed") return refusalWithin(layer, mask, dropped);
  if (takesMask(layer) && !spreads && mask.rank !== 2)
    return `which has ${mask.rank} axes; it takes one of [samples, steps]`;
  return undefined;
}

/** The same for TimeDistributed, which gives the layer inside the mask of its step, without the axis of steps. */
function refusalWithin(layer: Layer, mask: Traced, dropped: Set<string>): string | undefined {
  const { layer: inside } = layer as Layer & { layer: Layer };
  const model = graphIn(inside);
  const within = { rank: mask.rank - 1, maker: mask.maker };
  if (model !== undefined) {
    trace(model, [within], dropped);
    return undefined;
  }
  if (within.rank < 2) {
    return takesMask(inside) ? "which has an axis too few for the layer inside" : undefined;
  }
  return refusalOf(inside, within, [within.rank + 1], [within], dropped);
}
