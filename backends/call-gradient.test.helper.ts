import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { createRandom } from "../shared/random.js";
import { distinctArray, randomArray } from "./gradient-check.test.helper.js";
import { BATCH, buildCase, type LayerCase, weightedSum } from "./layer-cases.test.helper.js";

/** Computes a layer case's gradients on the current backend, at seeded weights and inputs, to call its kernels. */
export function callGradient(example: LayerCase, index: number): void {
  const random = createRandom(index + 1);
  const model = buildCase(layers, example);
  const weights = model.trainableWeights.map((weight) => randomArray(weight.shape as number[], random));
  const inputs = example.shapes.map((shape) => distinctArray([BATCH, ...shape], random));
  const outputShape = [BATCH, ...(model.outputs[0].shape.slice(1) as number[])];
  const outputWeights = randomArray(outputShape, random);
  const { tokens } = example;
  tf.tidy(() => {
    const variables = model.trainableWeights.map((weight, i) => {
      weight.write(tf.tensor(Float32Array.from(weights[i].values), weights[i].shape));
      return weight.read() as tf.Variable;
    });
    const given = inputs.map(({ shape, values }) =>
      tokens === undefined
        ? tf.variable(tf.tensor(Float32Array.from(values), shape))
        : tf.tensor(
            Int32Array.from(values, (value) => Math.floor(((value + 1) / 2) * tokens)),
            shape,
            "int32",
          ),
    );
    const trained = tokens === undefined ? [...variables, ...(given as tf.Variable[])] : variables;
    const dy = tf.tensor(Float32Array.from(outputWeights.values), outputShape);
    tf.variableGrads(() => weightedSum(tf, model, given, dy).loss, trained);
    if (tokens === undefined) tf.dispose(given);
  });
  model.dispose();
}
