/**
 * A model of layers listed in a task file, each with its class in `layer` and its tfjs configuration next to it:
 *
 *     {"layer": "Dense", "units": 10}
 *     {"layer": "Bidirectional", "wraps": {"layer": "LSTM", "units": 8}}
 *     {"layer": "RNN", "cell": [{"layer": "GRUCell", "units": 8}, {"layer": "GRUCell", "units": 8}]}
 */
import { IsobatchError, invalid, messageOf } from "../../shared/errors.js";
import { suggestion, withSuggestions } from "../../shared/nearest.js";
import type { ModelSpec } from "../task.js";
import type { Layer, LayersModel } from "./capture-weights.js";
import { layerTable, refusal } from "./layer-table.js";
import { tensorflow as tf } from "./tensorflow.js";
import { snakeCase } from "./topology.js";

type Sequential = ModelSpec & { kind: "sequential" };
type LayerSpec = Sequential["layers"][number];
type LayerClass = new (config: Record<string, unknown>) => Layer;

/** Settings that a layer takes but `getConfig` leaves out. */
const INPUT_FIELDS = ["inputShape", "batchInputShape", "batchSize", "inputDim", "inputLength", "dtype", "inputDType"];

/** Builds the model. Layers without a name are called `dense_1`, `dense_2`, …. */
export function sequentialModel(spec: Sequential): LayersModel {
  const counts = new Map<string, number>();
  const model = tf.sequential({ name: "sequential" });
  refuseUnknown(spec.layers);
  spec.layers.forEach((layer, i) => {
    const stem = snakeCase(layer.layer);
    counts.set(stem, (counts.get(stem) ?? 0) + 1);
    const where = `model.layers[${i}]`;
    const made = createLayer({ name: `${stem}_${counts.get(stem)}`, ...layer }, where);
    explain(where, layer.layer, () => model.add(made));
  });
  return model;
}

/** Names all unknown layers in one error. */
function refuseUnknown(layers: readonly LayerSpec[]): void {
  const lines = layers.flatMap(({ layer }, i) =>
    Object.hasOwn(layerTable, layer) ? [] : [untrained(`model.layers[${i}]`, layer, refusal(layer, {}))],
  );
  if (lines.length > 0) invalid(lines.join("\n"));
}

function untrained(where: string, className: string, reason: string | undefined): string {
  return `${where} is ${JSON.stringify(className)}, which can't be trained: ${reason}.`;
}

function createLayer({ layer: className, ...fields }: LayerSpec, where: string): Layer {
  const config: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(fields)) {
    // tfjs calls what a wrapper wraps its `layer`, which here is the class.
    config[field === "wraps" ? "layer" : field] = withLayers(value, `${where}.${field}`);
  }
  const reason = refusal(className, config);
  if (reason !== undefined) invalid(untrained(where, className, reason));
  return explain(where, className, () => {
    const [layerClass] = tf.serialization.SerializationMap.getMap().classNameMap[className] as unknown as [LayerClass];
    // A copy, since an LSTM writes its cell into its argument.
    const layer = new layerClass({ ...config });
    checkFields(className, Object.keys(config), layer);
    // A wrapper loses the flag that it was made with.
    if (config.trainable === false) layer.trainable = false;
    return layer;
  });
}

/** Builds the layers inside a field's value. */
function withLayers(value: unknown, where: string): unknown {
  if (Array.isArray(value)) return value.map((item, i) => withLayers(item, `${where}[${i}]`));
  const isLayer = typeof value === "object" && value !== null && typeof (value as LayerSpec).layer === "string";
  return isLayer ? createLayer(value as LayerSpec, where) : value;
}

/** tfjs ignores what it doesn't know, so a misspelt `activaton` would silently train another model. */
function checkFields(className: string, fields: readonly string[], layer: Layer): void {
  const known = [...Object.keys(layer.getConfig()), ...INPUT_FIELDS];
  const unknown = fields.filter((field) => !known.includes(field));
  if (unknown.length === 0) return;
  const named = `it has the unknown ${unknown.length === 1 ? "field" : "fields"} ${withSuggestions(unknown, known)}`;
  const all = unknown.every((field) => suggestion(field, known) !== undefined);
  throw new Error(all ? named : `${named}; ${className} takes ${known.join(", ")}`);
}

/** Adds to tfjs's refusal which layer it was. */
function explain<T>(where: string, className: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof IsobatchError) throw error;
    return invalid(`${where} (${className}) can't be built: ${messageOf(error).replace(/\.?$/, ".")}`, {
      cause: error,
    });
  }
}
