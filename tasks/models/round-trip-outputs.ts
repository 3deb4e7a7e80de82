/**
 * Whether each layer of a model has the same outputs for the same inputs as that layer of its source. What a layer costs
 * is estimated; once BUDGET is spent, a layer is no longer computed: it passes on drawn numbers of the right shape, in
 * both models, so that those after it and the connections are still compared, and a large model costs no more than a
 * few seconds.
 */
import { invalid, messageOf } from "../../shared/errors.js";
import { createRandom } from "../../shared/random.js";
import type { Layer, LayersModel } from "./capture-weights.js";
import { layersInside, weightsByPath } from "./layer-paths.js";
import { onCpu, type TensorFlow, tensorflow as tf } from "./tensorflow.js";

type Tensor = InstanceType<TensorFlow["Tensor"]>;
type Call = (inputs: Tensor | Tensor[], options: unknown) => Tensor | Tensor[];
type Callable = Layer & { call: Call };

/** Multiplications in one pass over the model. tfjs's cpu backend makes some 100 million a second. */
const BUDGET = 2 ** 26;

/** Both models hold the same weights and run the same code, so the bits are the same but for a changed order of sums. */
const TOLERANCE = 1e-5;

const SEED = 0x15_0b_a7;

/**
 * @param source the model that was made; it may be of another copy of tfjs.
 * @param model what was rebuilt from its JSON, with the same weights.
 * @param nameOf turns the source's layer names into the rebuilt model's.
 * @param shape of a sample, for the sizes that the model's input leaves open.
 * @throws if a layer puts out other numbers.
 */
export function checkOutputs(
  source: LayersModel,
  model: LayersModel,
  nameOf: (name: string) => string,
  shape: readonly number[] = [],
): void {
  onCpu(() =>
    tf.tidy(() => {
      const inputs = sampleFor(model, shape);
      const [before, after] = [recordOf(source, inputs, nameOf), recordOf(model, inputs)];
      compare(before, after);
    }),
  );
}

interface Recorded {
  readonly path: string;
  readonly className: string;
  readonly outputs: readonly Output[];
}

/** Kept apart from its tensor, of which tfjs disposes as soon as no layer needs it. */
interface Output {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

interface Run {
  readonly calls: readonly Recorded[];
  /** What the pass ended with, if with an error. */
  readonly error: string | undefined;
}

/** One sample: tokens where a layer takes them, else numbers around 0. */
function sampleFor(model: LayersModel, shape: readonly number[]): Tensor {
  const random = createRandom(SEED);
  const wanted = model.inputs[0].shape.slice(1);
  const sizes = wanted.map((size, i) => size ?? (shape.length === wanted.length ? shape[i] : 8));
  const tokens = tokensOf(model);
  const count = sizes.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, () =>
    tokens === undefined ? 2 * random.next() - 1 : Math.floor(random.next() * tokens),
  );
  return tf.tensor(values, [1, ...sizes]);
}

/** How many tokens every layer that takes them knows; undefined if there is no such layer. */
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

/** Runs the model and notes what each call of each of its layers puts out. */
function recordOf(model: LayersModel, inputs: Tensor, nameOf?: (name: string) => string): Run {
  const calls: Recorded[] = [];
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
      const passed = spent + cost > BUDGET ? standIn(layer, given) : undefined;
      if (passed === undefined) spent += cost;
      const outputs = passed ?? call.call(layer, given, options);
      calls.push({ path, className: layer.getClassName(), outputs: [outputs].flat().map(outputOf) });
      return outputs;
    };
    watched.push(layer);
  }
  let error: string | undefined;
  try {
    model.apply(inputs, { training: false });
  } catch (thrown) {
    error = messageOf(thrown);
  } finally {
    // The prototype's `call` takes effect again; a layer with a `call` of its own was refused before.
    for (const layer of watched) delete (layer as Partial<Callable>).call;
  }
  return { calls, error };
}

const outputOf = (tensor: Tensor): Output => ({ shape: tensor.shape, values: tensor.dataSync() });

const sizeOf = (shape: readonly (number | null)[]): number =>
  shape.reduce<number>((product, size) => product * (size ?? 1), 1);

/** About how often a layer uses each of its weights for one sample: at every place of a plane, at every step. */
function positionsOf(layer: Layer, given: Tensor | Tensor[]): number {
  const [{ shape, size }] = [given].flat();
  if (shape.length < 3) return 1;
  const isFirst = (layer as { dataFormat?: string }).dataFormat === "channelsFirst";
  return size / (isFirst ? shape[1] : shape[shape.length - 1])!;
}

/** Drawn numbers in the shape of a layer's output; undefined if that is not known beforehand. */
function standIn(layer: Callable, given: Tensor | Tensor[]): Tensor | undefined {
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

function compare(before: Run, after: Run): void {
  if (before.error !== after.error) {
    invalid(
      `The model ${outcome(before)} on a sample, and ${outcome(after)} once it is rebuilt from its JSON. ${REMEDY}`,
    );
  }
  const rest = new Map<string, Recorded[]>();
  for (const call of after.calls) rest.set(call.path, [...(rest.get(call.path) ?? []), call]);
  for (const { path, className, outputs } of before.calls) {
    const other = rest.get(path)?.shift();
    const difference = other === undefined ? "is not called" : differenceOf(outputs, other.outputs);
    if (difference === undefined) continue;
    invalid(
      `Layer "${path}" (${className}) ${difference} once the model is rebuilt from its JSON, the form in which workers get it. ` +
        REMEDY,
    );
  }
}

const REMEDY = "Build the model from tfjs's own layers, with the tf that the model function is given.";

const outcome = ({ error }: Run): string => (error === undefined ? "computes" : `fails ("${error}")`);

function differenceOf(before: readonly Output[], after: readonly Output[]): string | undefined {
  for (const [i, { shape, values }] of before.entries()) {
    const other = after[i];
    if (`${shape}` !== `${other?.shape}`) return `puts out the shape [${other?.shape}] instead of [${shape}]`;
    let largest = 0;
    for (let n = 0; n < values.length; n++) largest = Math.max(largest, Math.abs(values[n]));
    for (let n = 0; n < values.length; n++) {
      const [was, is] = [values[n], other.values[n]];
      const same = Object.is(was, is) || Math.abs(was - is) <= TOLERANCE * largest;
      if (!same) return `puts out ${is} instead of ${was}`;
    }
  }
  return undefined;
}
