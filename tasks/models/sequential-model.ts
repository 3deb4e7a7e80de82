import { invalid, messageOf } from "../../shared/errors.js";
import type { ModelSpec } from "../task.js";
import type { Layer, LayersModel } from "./capture-weights.js";
import { refusal } from "./layer-table.js";
import { tensorflow as tf } from "./tensorflow.js";
import { snakeCase } from "./topology.js";

type LayerClass = new (config: Record<string, unknown>) => Layer;
type FromConfig = (layerClass: LayerClass, config: Record<string, unknown>) => Layer;

/** What a layer takes but doesn't tell in `getConfig`. */
const INPUT_FIELDS = ["inputShape", "batchInputShape", "batchSize", "inputDim", "inputLength", "dtype", "inputDType"];

/** Builds a model of layers listed in a task file. Layers without a name are called `dense_1`, `dense_2`, …. */
export function sequentialModel(spec: ModelSpec & { kind: "sequential" }): LayersModel {
  const counts = new Map<string, number>();
  const model = tf.sequential({ name: "sequential" });
  spec.layers.forEach(({ layer: className, ...config }, i) => {
    const count = (counts.get(className) ?? 0) + 1;
    counts.set(className, count);
    const where = `model.layers[${i}]`;
    const reason = refusal(className, config);
    if (reason !== undefined) invalid(`${where} is ${JSON.stringify(className)}, which can't be trained: ${reason}.`);
    const named = { name: `${snakeCase(className)}_${count}`, ...config };
    try {
      const [layerClass, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[
        className
      ] as unknown as [LayerClass, FromConfig];
      const layer = fromConfig(layerClass, named);
      checkFields(className, config, layer);
      model.add(layer);
    } catch (error) {
      invalid(`${where} (${className}) can't be built: ${messageOf(error)}`, { cause: error });
    }
  });
  return model;
}

/** tfjs ignores what it doesn't know, so a misspelt `activaton` would silently train another model. */
function checkFields(className: string, config: Record<string, unknown>, layer: Layer): void {
  const known = [...Object.keys(layer.getConfig()), ...INPUT_FIELDS];
  const unknown = Object.keys(config).find((field) => !known.includes(field));
  if (unknown !== undefined) {
    throw new Error(`it has the unknown field "${unknown}"; ${className} takes ${known.join(", ")}.`);
  }
}
