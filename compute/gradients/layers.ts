/**
 * Adapts a model's layers for training on micro-batches: finds every layer with its path, however deeply it is nested,
 * and changes the three kinds that tfjs does not train by this project's rules.
 *
 * - tfjs's Dropout draws the same random numbers at every call unless its `seed` changes: here each call draws its mask
 *   by a key.
 * - BatchNorm updates its moving statistics inside the forward pass. Here they are averaged over the step's
 *   micro-batches by the server instead, so a micro-batch must yield its own statistics: with `momentum` 0 and the
 *   moving variables zeroed, the forward pass leaves exactly the batch's mean and variance in them.
 * - A frozen BatchNorm updates them too, and normalises with the batch's: here it uses the moving ones.
 *
 * A dropout may be called several times in one forward pass: where several inputs share it, or where TimeDistributed
 * calls it at every time step. The order of the calls is the model's, so it is the same on every machine.
 */

import { dropout } from "../../backends/index.js";
import { keyOf } from "../../shared/random.js";
import { type Layer, type LayersModel, type LayerVariable, tensorflow as tf } from "../../tasks/index.js";
import type { Tensor } from "../../tasks/tfjs/core.js";

export interface PlacedLayer {
  readonly layer: Layer;
  /** The names from the model's own layer down, joined by "/". */
  readonly path: string;
}

/** Every layer of the model in order, outer before inner. A layer in two places occurs twice. */
export function* layersOf(container: { readonly layers: Layer[] }, prefix = ""): Generator<PlacedLayer> {
  for (const layer of container.layers) yield* placed(layer, prefix);
}

function* placed(layer: Layer, prefix: string): Generator<PlacedLayer> {
  const path = prefix + layer.name;
  yield { layer, path };
  // A nested model has `layers`; a wrapper has `layer`; Bidirectional has one for each direction; SelfAttention has a
  // `dropout`.
  const inner = layer as Layer & { layers?: Layer[] } & Record<(typeof HELD)[number], unknown>;
  if (inner.layers !== undefined) yield* layersOf({ layers: inner.layers }, `${path}/`);
  for (const wrapped of HELD.map((name) => inner[name])) {
    // A recurrent layer's `dropout` is a number.
    if (wrapped instanceof tf.layers.Layer) yield* placed(wrapped, `${path}/`);
  }
}

const HELD = ["layer", "forwardLayer", "backwardLayer", "dropout"] as const;

type Dropout = Layer & { rate: number; getNoiseShape(input: Tensor): number[] | null | undefined };
type BatchNormalization = Layer & { momentum: number; movingMean: LayerVariable };

export interface KeyedDropout {
  /** To be called with the number n of each micro-batch before its forward pass. */
  key(microBatch: number): void;
  /** The keys of a micro-batch's calls, layer by layer; as many as the last forward pass had. */
  keys(microBatch: number): Int32Array[];
}

/** Makes the model's dropout a function of the run's seed, the layer's path, the call and the micro-batch. */
export function keyDropout(model: LayersModel, seed: number): KeyedDropout {
  const paths = new Map<Layer, string>();
  for (const { layer, path } of layersOf(model)) if (DROPOUTS.has(layer.getClassName())) paths.set(layer, path);
  const dropouts = [...paths].map(([layer, path]) => ({ layer: layer as Dropout, path, calls: 0 }));
  let current = 0;
  for (const keyed of dropouts) {
    const { layer, path } = keyed;
    const call = layer.call.bind(layer);
    layer.call = (inputs, options) => {
      if (!options.training || layer.rate === 0) return call(inputs, options);
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor;
      return dropout(x, keyOf(seed, path, keyed.calls++, current), layer.rate, layer.getNoiseShape(x) ?? x.shape);
    };
  }
  return {
    key(microBatch) {
      current = microBatch;
      for (const keyed of dropouts) keyed.calls = 0;
    },
    keys: (microBatch) =>
      dropouts.flatMap(({ path, calls }) =>
        Array.from({ length: calls }, (_, call) => keyOf(seed, path, call, microBatch)),
      ),
  };
}

const DROPOUTS = new Set(["Dropout", "SpatialDropout1D"]);

/**
 * Makes every BatchNorm whose moving statistics are in the tail leave its batch's statistics in them, and every other
 * one, which is frozen, normalise with its moving statistics.
 */
export function prepareBatchNorm(model: LayersModel, tail: ReadonlySet<LayerVariable>): void {
  for (const { layer } of layersOf(model)) {
    if (layer.getClassName() !== "BatchNormalization") continue;
    const normalization = layer as BatchNormalization;
    if (tail.has(normalization.movingMean)) {
      normalization.momentum = 0;
    } else {
      const call = layer.call.bind(layer);
      layer.call = (inputs, options) => call(inputs, { ...options, training: false });
    }
  }
}
