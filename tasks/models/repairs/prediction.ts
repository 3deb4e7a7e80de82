import { concat, slice, type Tensor, tidy } from "../../tfjs/core.js";
import { tensorflow as tf } from "../tensorflow.js";

/** The method that a model's `predict` and `predictOnBatch` call. */
type PredictLoop = (this: Predicting, inputs: Tensor | Tensor[], batchSize?: number) => Tensor | Tensor[];

interface Predicting {
  call(inputs: Tensor[], options: { readonly training: boolean }): Tensor[];
}

/** Makes `predict` compute as a model's `call` does, which is repaired; in tfjs it bypasses `call`. */
export function repairPrediction(): void {
  const prototype = tf.LayersModel.prototype as unknown as { predictLoop: PredictLoop };
  prototype.predictLoop = function (given, batchSize = 32) {
    return tidy(() => {
      const inputs = Array.isArray(given) ? given : [given];
      const samples = inputs[0].shape[0];
      const batches: Tensor[][] = [];
      for (let from = 0; from < samples; from += batchSize) {
        const count = Math.min(batchSize, samples - from);
        const batch = inputs.map((x) =>
          slice(x, [from, ...x.shape.slice(1).map(() => 0)], [count, ...x.shape.slice(1)]),
        );
        batches.push(this.call(batch, { training: false }));
      }
      const outputs = batches[0].map((_, i) =>
        concat(
          batches.map((batch) => batch[i]),
          0,
        ),
      );
      return outputs.length === 1 ? outputs[0] : outputs;
    });
  };
}
