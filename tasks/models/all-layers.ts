import type { Layer } from "./capture-weights.js";
import { tensorflow as tf } from "./tensorflow.js";

/**
 * Every layer of a model once, including those inside nested models, wrappers and recurrent layers (whose cells are
 * layers), of which tfjs's own lists have only some. Properties hold them, singly (`cell`) or in lists (`layers`).
 */
export function allLayers(model: Layer): Layer[] {
  const found = new Set<Layer>([model]);
  for (const layer of found) {
    for (const held of Object.values(layer).flat()) if (held instanceof tf.layers.Layer) found.add(held);
  }
  return [...found];
}
