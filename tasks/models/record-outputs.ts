/**
 * The outputs of each layer of a model for a sample, so that two ways to build the same model can be compared. The cost of
 * each layer is estimated; once BUDGET is spent, a layer is no longer computed: it passes on random numbers of the right
 * shape, the same in every pass, so that the layers after it and the connections are still compared, and a large model
 * costs no more than a few seconds.
 *
 * Nothing here repairs tfjs: this also runs where tfjs is as it was published.
 */
import { messageOf } from "../../shared/errors.js";
import { createRandom } from "../../shared/random.js";
import type { Layer, LayersModel } from "./capture-weights.js";
import { layersByPath, layersInside, weightsByPath } from "./layer-paths.js";
import type { Tensor } from "./layers/custom-layer.js";
import type { TensorFlow } from "./tensorflow.js";

type Call = (inputs: Tensor | Tensor[], options?: { readonly mask?: unknown }) => Tensor | Tensor[];
type Callable = Layer & { call: Call };

/** Multiplications in one pass over the model. tfjs's cpu backend makes some 100 million a second. */
const BUDGET = 2 ** 26;

const SEED = 0x15_0b_a7;

/** One call of a layer. */
export interface RecordedCall {
  readonly path: string;
  readonly className: string;
  readonly inputs: readonly RecordedTensor[];
  readonly outputs: readonly RecordedTensor[];
  /** Whether the layer was given a mask. */
  readonly masked: boolean;
  /** Whether the outputs are random numbers instead of computed ones. */
  readonly passed: boolean;
}

/** A tensor's contents, copied, since tfjs disposes of the tensor as soon as no layer needs it. */
export interface RecordedTensor {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

export interface RecordedPass {
  readonly calls: readonly RecordedCall[];
  /** The error that ended the pass, if one did. */
  readonly error: string | undefined;
}

/** Where the steps of a drawn sample are masked: nowhere, in the last third, or in the first. */
export type MaskedPart = "none" | "end" | "start";

/**
 * Random samples: tokens if a layer takes them, else numbers around 0.
 * @param shape a sample's shape, for the sizes that the model's input leaves open.
 * @param masked which part of each sample is masked; one entry per sample.
 */
export function drawSamples(
  tf: TensorFlow,
  model: LayersModel,
  shape: readonly number[] = [],
  masked: readonly MaskedPart[] = ["none"],
): Tensor {
  const random = createRandom(SEED);
  const wanted = model.inputs[0].shape.slice(1);
  const sizes = wanted.map((size, i) => size ?? (shape.length === wanted.length ? shape[i] : 8));
  const tokens = tokensOf(model);
  const count = sizeOf(sizes);
  const values = masked.flatMap((part) =>
    Array.from({ length: count }, (_, i) => {
      const value = tokens === undefined ? 2 * random.next() - 1 : Math.floor(random.next() * tokens);
      const isMasked = (part === "end" && 3 * i >= 2 * count) || (part === "start" && 3 * i < count);
      return isMasked ? maskValueOf(model) : value;
    }),
  );
  return tf.tensor(values, [masked.length, ...sizes]);
}

/** Whether a layer of the model makes masks. */
export function makesMasks(model: LayersModel): boolean {
  return [...layersByPath(model)].some(
    ({ layer }) => layer.getClassName() === "Masking" || (layer as Layer & { maskZero?: boolean }).maskZero === true,
  );
}

/** The number that marks a masked step. */
function maskValueOf(model: LayersModel): number {
  const masking = [...layersByPath(model)].find(({ layer }) => layer.getClassName() === "Masking")?.layer;
  return (masking as (Layer & { maskValue?: number }) | undefined)?.maskValue ?? 0;
}

/** The number of tokens that all layers which take tokens have in common; undefined if there is no such layer. */
function tokensOf(model: LayersModel): number | undefined {
  const known = [...units(model)].flatMap(([, layer]) =>
    ["inputDim", "vocabulary", "numTokens"].flatMap((field) => {
      const value = (layer as unknown as Record<string, unknown>)[field];
      return typeof value === "number" ? [value] : [];
    }),
  );
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Every layer that is not a model, in the model and in the models inside of it. */
function* units(
  container: Layer,
  nameOf: (name: string) => string = (name) => name,
  prefix = "",
): Generator<readonly [path: string, layer: Callable]> {
  for (const layer of layersInside(container) ?? []) {
    const path = prefix + nameOf(layer.name);
    if (layersInside(layer) === undefined) yield [path, layer as Callable];
    else yield* units(layer, nameOf, `${path}/`);
  }
}

/**
 * Records the inputs and outputs of each call of each of the model's layers while `compute` runs.
 * @param nameOf turns a layer's name into the one that paths are made of.
 */
export function recordOutputs(
  tf: Pick<TensorFlow, "tensor">,
  model: LayersModel,
  compute: () => unknown,
  nameOf?: (name: string) => string,
): RecordedPass {
  const calls: RecordedCall[] = [];
  let spent = 0;
  const watched: Callable[] = [];
  for (const [path, layer] of units(model, nameOf)) {
    // A layer that is in two places is watched once.
    if (watched.includes(layer)) continue;
    const { call } = layer;
    const weights = weightsByPath({ layers: [layer] } as never).reduce(
      (sum, { weight }) => sum + sizeOf(weight.shape),
      0,
    );
    layer.call = (given, options) => {
      const cost = weights * positionsOf(layer, given);
      const passed = spent + cost > BUDGET ? standIn(tf, layer, given) : undefined;
      if (passed === undefined) spent += cost;
      const outputs = passed ?? call.call(layer, given, options);
      calls.push({
        path,
        className: layer.getClassName(),
        inputs: [given].flat().map(numbersOf),
        outputs: [outputs].flat().map(numbersOf),
        masked: options?.mask != null,
        passed: passed !== undefined,
      });
      return outputs;
    };
    watched.push(layer);
  }
  let error: string | undefined;
  try {
    compute();
  } catch (thrown) {
    error = messageOf(thrown);
  } finally {
    // The prototype's `call` takes effect again; a layer with its own `call` was refused before.
    for (const layer of watched) delete (layer as Partial<Callable>).call;
  }
  return { calls, error };
}

const numbersOf = (tensor: Tensor): RecordedTensor => ({ shape: tensor.shape, values: tensor.dataSync() });

const sizeOf = (shape: readonly (number | null)[]): number =>
  shape.reduce<number>((product, size) => product * (size ?? 1), 1);

/** About how often a layer uses each of its weights for its samples: at every position of an image, at every step. */
function positionsOf(layer: Layer, given: Tensor | Tensor[]): number {
  const [{ shape, size }] = [given].flat();
  if (shape.length < 3) return shape[0];
  const isFirst = (layer as { dataFormat?: string }).dataFormat === "channelsFirst";
  return size / (isFirst ? shape[1] : shape[shape.length - 1])!;
}

/** Random numbers in the shape of a layer's output; undefined if the shape is not known beforehand. */
function standIn(tf: Pick<TensorFlow, "tensor">, layer: Callable, given: Tensor | Tensor[]): Tensor | undefined {
  const shapes = [given].flat().map((tensor) => tensor.shape);
  const shape = layer.computeOutputShape(shapes.length === 1 ? shapes[0] : shapes);
  if (!shape.every((size) => Number.isInteger(size))) return undefined;
  const random = createRandom(SEED + shape.length);
  const sizes = shape as number[];
  return tf.tensor(
    Float32Array.from({ length: sizeOf(sizes) }, () => 2 * random.next() - 1),
    sizes,
  );
}

/** @param tolerance relative to the largest number. @returns how `after` differs, as the middle of a sentence. */
export function differenceOf(
  before: readonly RecordedTensor[],
  after: readonly RecordedTensor[],
  tolerance: number,
): string | undefined {
  for (const [i, { shape, values }] of before.entries()) {
    const other = after[i];
    if (`${shape}` !== `${other?.shape}`) return `outputs the shape [${other?.shape}] instead of [${shape}]`;
    let largest = 0;
    for (let n = 0; n < values.length; n++) largest = Math.max(largest, Math.abs(values[n]));
    for (let n = 0; n < values.length; n++) {
      const [was, is] = [values[n], other.values[n]];
      const same = Object.is(was, is) || Math.abs(was - is) <= tolerance * largest;
      if (!same) return `outputs ${is} instead of ${was}`;
    }
  }
  return undefined;
}

/** The calls of both passes in pairs; the second's is undefined where the layer was called less often. */
export function pairs(
  before: RecordedPass,
  after: RecordedPass,
): (readonly [RecordedCall, RecordedCall | undefined])[] {
  const rest = new Map<string, RecordedCall[]>();
  for (const call of after.calls) rest.set(call.path, [...(rest.get(call.path) ?? []), call]);
  return before.calls.map((call) => [call, rest.get(call.path)?.shift()] as const);
}
