/**
 * Builds a LayersModel while watching every weight that it creates. tfjs offers no such view: afterwards a weight
 * refers neither to the layer that made it nor to its initialiser, and by then any initialiser has run, at any size. So
 * `Layer.addWeight`, through which every layer creates its weights, is wrapped while `build` runs:
 *
 * - the size of a weight is counted against a limit before anything is allocated;
 * - every weight starts as zeros, since its values come from the seeded initialisers (the server) or over the wire
 *   (workers);
 * - each weight's layer and initialiser are kept.
 */
import { invalid } from "../../shared/errors.js";
import type { LayersModel, TensorFlow } from "../tfjs/types.js";
import { weightsByPath } from "./layer-paths.js";
import { tensorflow as tf } from "./tensorflow.js";

export type { LayersModel } from "../tfjs/types.js";
export type LayerVariable = InstanceType<TensorFlow["LayerVariable"]>;
export type Layer = InstanceType<TensorFlow["layers"]["Layer"]>;

/** A tfjs initialiser; `seed` exists on the random ones. */
export interface Initializer {
  apply(shape: number[], dtype?: "float32"): InstanceType<TensorFlow["Tensor"]>;
  seed?: number | null;
}

export interface CapturedWeight {
  /** The layer that created the weight: of an LSTM, its cell. */
  readonly layer: Layer;
  /** The weight's name in that layer, e.g. `kernel`. */
  readonly name: string;
  readonly initializer: Initializer;
}

export interface Captured {
  readonly model: LayersModel;
  /** What is known of each of `model.weights`. */
  readonly weights: ReadonlyMap<LayerVariable, CapturedWeight>;
}

type AddWeight = (
  this: Layer,
  name: string,
  shape: number[],
  dtype: string | undefined,
  initializer: Initializer,
  ...rest: unknown[]
) => LayerVariable;

/**
 * @param build creates every weight before it returns. (tfjs's `modelFromJSON` does: it has no reason to wait when
 *   there are no weights to load. The check at the end would notice another behaviour.)
 * @param parametersMax the most elements of all weights together.
 */
export async function captureWeights(build: () => Promise<LayersModel>, parametersMax: number): Promise<Captured> {
  const prototype = tf.layers.Layer.prototype as unknown as { addWeight: AddWeight };
  const { addWeight } = prototype;
  const zeros = tf.initializers.zeros() as unknown as Initializer;
  const weights = new Map<LayerVariable, CapturedWeight>();
  let parameters = 0;
  prototype.addWeight = function (name, shape, dtype, initializer, ...rest) {
    if (!shape.every((size) => Number.isSafeInteger(size) && size > 0)) {
      invalid(
        `Weight ${name} of layer "${this.name}" would have the shape [${shape.join(", ")}]; every size must be a whole ` +
          "number of at least 1.",
      );
    }
    parameters += shape.reduce((product, size) => product * size, 1);
    if (!(parameters <= parametersMax)) {
      invalid(
        `The model has more than ${parametersMax} parameters: with ${name} of layer "${this.name}", shape ` +
          `[${shape.join(", ")}], it reaches ${parameters}; make it smaller.`,
      );
    }
    const weight = addWeight.call(this, name, shape, dtype, zeros, ...rest);
    weights.set(weight, { layer: this, name, initializer });
    return weight;
  };
  let promise: Promise<LayersModel>;
  try {
    promise = build();
  } finally {
    prototype.addWeight = addWeight;
  }
  const model = await promise;
  const unknown = model.weights.find((weight) => !weights.has(weight));
  if (unknown !== undefined) throw new Error(`weight ${unknown.originalName} was not created by Layer.addWeight`);
  return { model, weights };
}

/**
 * The name of each of a model's weights: tfjs's own (`dense_1/kernel`), made unique where a model repeats one by `_2`,
 * `_3`, …, in an order that does not depend on what is frozen.
 */
export function weightNames(model: LayersModel): ReadonlyMap<LayerVariable, string> {
  const taken = new Set<string>();
  const names = new Map<LayerVariable, string>();
  for (const { weight } of weightsByPath(model)) {
    if (names.has(weight)) continue;
    let name = weight.originalName;
    for (let k = 2; taken.has(name); k++) name = `${weight.originalName}_${k}`;
    taken.add(name);
    names.set(weight, name);
  }
  return names;
}
