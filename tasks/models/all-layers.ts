import type { Layer } from "./capture-weights.js";
import { tensorflow as tf } from "./tensorflow.js";

/**
 * Every layer of a model once: also those inside nested models, wrappers and recurrent layers (whose cells are
 * layers), of which tfjs's own lists tell only some. They are held in properties: alone (`cell`) or listed (`layers`).
 */
export function allLayers(model: Layer): Layer[] {
  const found = new Set<Layer>([model]);
  for (const layer of found) {
    for (const held of Object.values(layer).flat()) if (held instanceof tf.layers.Layer) found.add(held);
  }
  return [...found];
}
