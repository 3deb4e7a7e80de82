/**
 * A model of layers listed in a task file, each with its class in `layer` and its tfjs configuration beside it:
 *
 *     {"layer": "Dense", "units": 10}
 *     {"layer": "Bidirectional", "wraps": {"layer": "LSTM", "units": 8}}
 *     {"layer": "RNN", "cell": [{"layer": "GRUCell", "units": 8}, {"layer": "GRUCell", "units": 8}]}
 */
import { IsobatchError, invalid, messageOf } from "../../shared/errors.js";
import type { ModelSpec } from "../task.js";
import type { Layer, LayersModel } from "./capture-weights.js";
import { refusal } from "./layer-table.js";
import { tensorflow as tf } from "./tensorflow.js";
import { snakeCase } from "./topology.js";

type Sequential = ModelSpec & { kind: "sequential" };
type LayerSpec = Sequential["layers"][number];
type LayerClass = new (config: Record<string, unknown>) => Layer;

/** What a layer takes but doesn't tell in `getConfig`. */
const INPUT_FIELDS = ["inputShape", "batchInputShape", "batchSize", "inputDim", "inputLength", "dtype", "inputDType"];

/** Builds the model. Layers without a name are called `dense_1`, `dense_2`, …. */
export function sequentialModel(spec: Sequential): LayersModel {
  const counts = new Map<string, number>();
  const model = tf.sequential({ name: "sequential" });
  spec.layers.forEach((layer, i) => {
    const stem = snakeCase(layer.layer);
    counts.set(stem, (counts.get(stem) ?? 0) + 1);
    const where = `model.layers[${i}]`;
    const made = createLayer({ name: `${stem}_${counts.get(stem)}`, ...layer }, where);
    explain(where, layer.layer, () => model.add(made));
  });
  return model;
}

function createLayer({ layer: className, ...fields }: LayerSpec, where: string): Layer {
  const config: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(fields)) {
    // tfjs calls what a wrapper wraps its `layer`, which here is the class.
    config[field === "wraps" ? "layer" : field] = withLayers(value, `${where}.${field}`);
  }
  const reason = refusal(className, config);
  if (reason !== undefined) invalid(`${where} is ${JSON.stringify(className)}, which can't be trained: ${reason}.`);
  return explain(where, className, () => {
    const [layerClass] = tf.serialization.SerializationMap.getMap().classNameMap[className] as unknown as [LayerClass];
    // A copy, since an LSTM writes its cell into what it is given.
    const layer = new layerClass({ ...config });
    checkFields(className, Object.keys(config), layer);
    // A wrapper forgets the flag that it was made with.
    if (config.trainable === false) layer.trainable = false;
    return layer;
  });
}

/** Makes the layers inside a field's value. */
function withLayers(value: unknown, where: string): unknown {
  if (Array.isArray(value)) return value.map((item, i) => withLayers(item, `${where}[${i}]`));
  const isLayer = typeof value === "object" && value !== null && typeof (value as LayerSpec).layer === "string";
  return isLayer ? createLayer(value as LayerSpec, where) : value;
}

/** tfjs ignores what it doesn't know, so a misspelt `activaton` would silently train another model. */
function checkFields(className: string, fields: readonly string[], layer: Layer): void {
  const known = [...Object.keys(layer.getConfig()), ...INPUT_FIELDS];
  const unknown = fields.find((field) => !known.includes(field));
  if (unknown !== undefined) {
    throw new Error(`it has the unknown field "${unknown}"; ${className} takes ${known.join(", ")}`);
  }
}

/** Says which layer it was that tfjs refused. */
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
