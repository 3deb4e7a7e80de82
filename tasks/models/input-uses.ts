/**
 * What a model does with the numbers of a sample before it computes anything with them. Layers that only rearrange
 * numbers are followed exactly: each is called on the numbers of the elements, 1 to n, and what comes out says which
 * element is where. So an Embedding behind Reshape and Cropping2D is known to look up columns 3 and 4, say.
 *
 * Where a number is changed on its way (by pooling or Rescaling, say), what a layer looks up is not known
 * beforehand; such a layer is listed in `untraced`, and its input is checked where it is computed.
 */
import type { Layer, LayersModel } from "./capture-weights.js";
import { onCpu, tensorflow as tf } from "./tensorflow.js";

/** The elements of a sample that a layer uses as row numbers of a table, or as numbers of categories. */
export interface IndexInput {
  readonly layer: LookUp;
  /** The elements' numbers in the sample, row-major, in ascending order. */
  readonly elements: Uint32Array;
}

/** A layer that takes whole numbers in [0, limit). */
export interface LookUp {
  /** The names of the layers, from the model's own down to this one, joined by "/". */
  readonly path: string;
  readonly className: string;
  /** The field of its configuration that has the limit. */
  readonly field: string;
  readonly limit: number;
}

export interface UntracedLookUp extends LookUp {
  readonly instance: Layer;
}

export interface InputUses {
  readonly indices: readonly IndexInput[];
  readonly untraced: readonly UntracedLookUp[];
  /** Elements that some layer computes with as they are: it neither looks them up nor normalises them first. */
  readonly plain: Uint32Array;
}

const LOOK_UPS: Readonly<Record<string, string>> = {
  Embedding: "inputDim",
  TokenEmbedding: "vocabulary",
  CategoryEncoding: "numTokens",
};
const NORMALIZERS = new Set(["BatchNormalization", "LayerNormalization", "GroupNormalization", "Rescaling"]);
/** Layers whose outputs are only numbers of their input, or zeros. */
const REARRANGERS = new Set([
  ...["Reshape", "Flatten", "Permute", "RepeatVector", "Cropping2D", "ZeroPadding2D", "Concatenate", "FirstPosition"],
]);
/** float32 can't number more elements than these. */
const ELEMENTS_MAX = 2 ** 24;

type Tensor = ReturnType<typeof tf.zeros>;
/** The element that each number of a layer's input or output is, counted from 1; undefined once they are changed. */
type Origin = Tensor | undefined;
interface Symbolic {
  readonly sourceLayer: Layer;
  readonly nodeIndex: number;
  readonly shape: readonly (number | null)[];
}
interface Container {
  readonly inputs: readonly Symbolic[];
  readonly outputs: readonly Symbolic[];
  readonly layers: readonly Layer[];
}
interface Found {
  readonly indices: IndexInput[];
  readonly untraced: UntracedLookUp[];
  readonly plain: Set<number>;
}

/** @param inputShape one sample's shape. */
export function inputUsesOf(model: LayersModel, inputShape: readonly number[]): InputUses {
  const elements = inputShape.reduce((product, size) => product * size, 1);
  const found: Found = { indices: [], untraced: [], plain: new Set() };
  onCpu(() =>
    tf.tidy(() => {
      const known = elements <= ELEMENTS_MAX;
      const numbers = known ? tf.reshape(tf.range(1, elements + 1), [1, ...inputShape]) : undefined;
      passContainer(model as unknown as Container, numbers, "", found);
    }),
  );
  return { ...found, plain: Uint32Array.from(found.plain).sort() };
}

/** Follows the input through all layers of a model with one input, to its output. */
function passContainer(model: Container, input: Origin, prefix: string, found: Found): Origin {
  const known = new Map<string, Origin>();
  const originOf = (symbolic: Symbolic): Origin => {
    if (model.inputs.includes(symbolic)) return input;
    const { sourceLayer, nodeIndex } = symbolic;
    const key = `${nodeIndex} ${sourceLayer.name}`;
    if (!known.has(key)) {
      const sources = sourceLayer.inboundNodes[nodeIndex].inputTensors as unknown as readonly Symbolic[];
      const rank = sources[0]?.shape.length ?? 0;
      known.set(key, passLayer(sourceLayer, sources.map(originOf), rank, prefix, found));
    }
    return known.get(key);
  };
  const outputs = model.layers.flatMap((layer) => layer.inboundNodes.flatMap((node) => node.outputTensors));
  // A nested model's own node ends in a tensor of one of its layers, which are followed where it is called.
  for (const output of outputs as unknown as Symbolic[])
    if (model.layers.includes(output.sourceLayer)) originOf(output);
  return originOf(model.outputs[0]);
}

/** @param rank the rank of the layer's first input, samples included. */
function passLayer(layer: Layer, inputs: readonly Origin[], rank: number, prefix: string, found: Found): Origin {
  const path = prefix + layer.name;
  const className = layer.getClassName();
  const inner = layer as Layer & { layers?: unknown; layer?: Layer };
  if (inner.layers !== undefined) return passContainer(inner as unknown as Container, inputs[0], `${path}/`, found);
  if (className === "TimeDistributed") return passEachStep(inner.layer as Layer, inputs[0], rank, `${path}/`, found);
  const field = LOOK_UPS[className];
  // Given vectors, a TokenEmbedding multiplies.
  if (field !== undefined && !(className === "TokenEmbedding" && rank > 2)) {
    const limit = (layer as unknown as Record<string, number>)[field];
    const lookUp = { path, className, field, limit };
    if (inputs[0] === undefined) found.untraced.push({ ...lookUp, instance: layer });
    else found.indices.push({ layer: lookUp, elements: elementsIn(inputs[0]) });
    return undefined;
  }
  const tensors = inputs.filter((origin) => origin !== undefined);
  if (tensors.length > 0 && tensors.length === inputs.length && rearranges(layer, className)) {
    return [layer.call(tensors.length === 1 ? tensors[0] : tensors, {})].flat()[0];
  }
  if (!NORMALIZERS.has(className)) {
    for (const numbers of tensors) for (const element of elementsIn(numbers)) found.plain.add(element);
  }
  return undefined;
}

/** TimeDistributed: the steps count as more samples. */
function passEachStep(layer: Layer, numbers: Origin, rank: number, prefix: string, found: Found): Origin {
  if (numbers === undefined) return passLayer(layer, [undefined], rank - 1, prefix, found);
  const [samples, steps, ...shape] = numbers.shape;
  const output = passLayer(layer, [tf.reshape(numbers, [samples * steps, ...shape])], rank - 1, prefix, found);
  return output && tf.reshape(output, [samples, steps, ...output.shape.slice(1)]);
}

function rearranges(layer: Layer, className: string): boolean {
  const settings = layer as unknown as { interpolation?: string };
  if (className === "UpSampling2D") return settings.interpolation === "nearest";
  if (className === "Activation") return layer.getConfig().activation === "linear";
  return REARRANGERS.has(className);
}

/** The elements among the numbers; 0 is a constant. */
function elementsIn(numbers: Tensor): Uint32Array {
  const elements = new Set<number>();
  for (const number of numbers.dataSync()) if (number > 0) elements.add(number - 1);
  return Uint32Array.from(elements).sort();
}
