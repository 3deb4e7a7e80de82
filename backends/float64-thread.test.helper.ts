import { parentPort } from "node:worker_threads";

/**
 * tfjs in float64, in a separate thread: wherever its cpu backend asks for a Float32Array it gets a Float64Array.
 * Only its forward pass is used, for central differences along given directions.
 */

export interface DifferencesRequest {
  /** Of `layerCases`. */
  index: number;
  /** The trainable weights' values, in order. */
  weights: Float64Array[];
  inputs: Float64Array[];
  /** Weights of the loss's sum over the output. */
  outputWeights: Float64Array;
  /** For each tensor, weights first and then real inputs: the directions to differentiate along. */
  directions: Float64Array[][];
}

export interface DifferencesReply {
  loss: number;
  /** The loss's derivative along each direction. */
  derivatives: number[][];
}

const STEP = 1e-6;

(globalThis as unknown as Record<string, unknown>).Float32Array = Float64Array;
const core = await import("@tensorflow/tfjs-core");
const layers = await import("@tensorflow/tfjs-layers");
await import("@tensorflow/tfjs-backend-cpu");
const { BATCH, buildCase, layerCases, weightedSum } = await import("./layer-cases.test.helper.js");

const { repairLayers } = await import("../tasks/models/repairs/index.js");

repairLayers();
core.enableProdMode();
const { platform } = core.env();
const isTypedArray = platform.isTypedArray.bind(platform);
const isDoubled = (array: unknown): boolean => array instanceof Float64Array || isTypedArray(array);
platform.isTypedArray = isDoubled as typeof platform.isTypedArray;
await core.setBackend("cpu");

parentPort!.on("message", (request: DifferencesRequest) => {
  const example = layerCases[request.index];
  const model = buildCase(layers, example);
  const weights = model.trainableWeights;
  const values = [...request.weights, ...(example.tokens === undefined ? request.inputs : [])];

  const loss = (): number =>
    core.tidy(() => {
      weights.forEach((weight, i) => {
        weight.write(core.tensor(request.weights[i], weight.shape as number[]));
      });
      const dtype = example.tokens === undefined ? "float32" : "int32";
      const inputs = request.inputs.map((x, i) =>
        core.tensor(dtype === "int32" ? Int32Array.from(x) : x, [BATCH, ...example.shapes[i]], dtype),
      );
      const shape = [BATCH, ...(model.outputs[0].shape.slice(1) as number[])];
      return weightedSum(core, model, inputs, core.tensor(request.outputWeights, shape)).loss.dataSync()[0];
    });

  const along = (value: Float64Array, direction: Float64Array): number => {
    const start = value.slice();
    const at = (step: number): number => {
      value.set(start.map((x, i) => x + step * direction[i]));
      return loss();
    };
    const derivative = (at(STEP) - at(-STEP)) / (2 * STEP);
    value.set(start);
    return derivative;
  };

  const reply: DifferencesReply = {
    loss: loss(),
    derivatives: values.map((value, i) => request.directions[i].map((direction) => along(value, direction))),
  };
  model.dispose();
  parentPort!.postMessage(reply);
});
