/**
 * Where layers and weights are in a model. Equal models are compared, and weights are copied from one to the other, only
 * by these paths: tfjs lists a model's weights in an order that changes as soon as a layer is
 * frozen, and the names that it gives them depend on what else was built in the process.
 */
import type { Layer, LayerVariable } from "./capture-weights.js";

export interface LayerAtPath {
  /**
   * The names of the models that the layer is in and its own, joined by "/", e.g. `base/conv_1`; a layer inside
   * another one that is not a model is named by the property that holds it, e.g. `lstm_1/cell`, `rnn_1/cell/cells.0`.
   */
  readonly path: string;
  readonly layer: Layer;
}

export interface PlacedWeight {
  /** The path of the layer that made the weight, and the weight's name in it: `base/conv_1/kernel`. */
  readonly path: string;
  readonly layer: Layer;
  readonly weight: LayerVariable;
  /** Whether the weight can be trained; a frozen one can. */
  readonly trainable: boolean;
}

/** tfjs layers' private fields: the weights that a layer made, frozen or not. */
interface OwnWeights {
  readonly _trainableWeights: LayerVariable[];
  readonly _nonTrainableWeights: LayerVariable[];
}

/** Recognised by its methods, not by class: a task module may use its own copy of tfjs. */
export function isLayer(value: unknown): value is Layer {
  const layer = value as (Partial<Layer> & Partial<OwnWeights>) | null | undefined;
  return (
    typeof layer === "object" && typeof layer?.getClassName === "function" && Array.isArray(layer._trainableWeights)
  );
}

/** The layers of a model, nested or not; undefined for any other layer. */
export function layersInside(layer: Layer): readonly Layer[] | undefined {
  const { layers } = layer as Layer & { layers?: Layer[] };
  return Array.isArray(layers) ? layers : undefined;
}

/**
 * Every layer inside a model, outer before inner, in the model's order; a layer in two places comes twice.
 * @param nameOf turns a layer's name into the one that paths are made of.
 */
export function* layersByPath(
  model: Layer,
  nameOf: (name: string) => string = (name) => name,
  prefix = "",
): Generator<LayerAtPath> {
  for (const [name, layer] of heldBy(model, nameOf)) {
    const path = prefix + name;
    yield { path, layer };
    yield* layersByPath(layer, nameOf, `${path}/`);
  }
}

function heldBy(layer: Layer, nameOf: (name: string) => string): [name: string, layer: Layer][] {
  const layers = layersInside(layer);
  if (layers !== undefined) return layers.map((inner) => [nameOf(inner.name), inner]);
  const held = Object.entries(layer).flatMap(([key, value]): [string, unknown][] =>
    Array.isArray(value) ? value.map((item, i) => [`${key}.${i}`, item]) : [[key, value]],
  );
  return held.filter((entry): entry is [string, Layer] => isLayer(entry[1]));
}

/**
 * Every weight of a model: first those that can be trained, then the others, as tfjs lists the weights of a model in
 * which nothing is frozen.
 */
export function weightsByPath(model: Layer, nameOf?: (name: string) => string): PlacedWeight[] {
  const trainable: PlacedWeight[] = [];
  const others: PlacedWeight[] = [];
  for (const { path, layer } of layersByPath(model, nameOf)) {
    const own = layer as unknown as OwnWeights;
    const place = (weight: LayerVariable, kind: boolean): PlacedWeight => ({
      path: `${path}/${weight.originalName.split("/").at(-1)}`,
      layer,
      weight,
      trainable: kind,
    });
    trainable.push(...own._trainableWeights.map((weight) => place(weight, true)));
    others.push(...own._nonTrainableWeights.map((weight) => place(weight, false)));
  }
  return [...trainable, ...others];
}
