import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { noPrograms as skip } from "../../backends/tensorflow/program/installed.test.helper.js";
import { batchOf, openGradients } from "./open-gradients.test.helper.js";

type Layers = Parameters<typeof openGradients>[0]["layers"];

const MODELS: Record<string, Layers> = {
  "dense layers": [
    { layer: "Dense", units: 8, inputShape: [4], activation: "relu", kernelRegularizer: "l1l2" },
    { layer: "Dense", units: 3 },
  ],
  "BatchNorm and two dropouts of one shape": [
    { layer: "Dense", units: 6, inputShape: [4] },
    { layer: "BatchNormalization", momentum: 0.9, name: "norm" },
    { layer: "Dropout", rate: 0.4, name: "first" },
    { layer: "Dense", units: 6, activation: "gelu" },
    { layer: "Dropout", rate: 0.2, name: "second" },
    { layer: "Dense", units: 3 },
  ],
  "convolutions and BatchNorm": [
    { layer: "Reshape", targetShape: [2, 2, 1], inputShape: [4] },
    { layer: "Conv2D", filters: 3, kernelSize: 2, padding: "same", activation: "relu" },
    { layer: "BatchNormalization" },
    { layer: "MaxPooling2D", poolSize: 2, padding: "same" },
    { layer: "Flatten" },
    { layer: "Dense", units: 3 },
  ],
  "attention over embedded tokens": [
    { layer: "Embedding", inputDim: 5, outputDim: 4, inputLength: 4, inputShape: [4] },
    { layer: "SelfAttention", heads: 2, causal: true, dropout: 0.3 },
    { layer: "LayerNormalization" },
    { layer: "Flatten" },
    { layer: "Dense", units: 3 },
  ],
  "layers that are called at every time step": [
    { layer: "Reshape", targetShape: [4, 1], inputShape: [4] },
    { layer: "TimeDistributed", wraps: { layer: "Dense", units: 6 } },
    { layer: "TimeDistributed", wraps: { layer: "Dropout", rate: 0.4 } },
    { layer: "Dropout", rate: 0.3 },
    { layer: "Flatten" },
    { layer: "Dense", units: 3 },
  ],
  "the largest of equal elements, and kinks": [
    { layer: "Embedding", inputDim: 5, outputDim: 4, inputShape: [4], embeddingsRegularizer: "l1l2" },
    { layer: "PReLU", alphaInitializer: "ones", alphaRegularizer: "l1l2" },
    { layer: "Reshape", targetShape: [2, 2, 2, 2] },
    { layer: "MaxPooling3D", poolSize: [1, 1, 2] },
    { layer: "Reshape", targetShape: [4, 2] },
    { layer: "Activation", activation: "selu" },
    { layer: "GlobalMaxPooling1D" },
    { layer: "Dense", units: 3 },
  ],
  "an LSTM": [
    { layer: "Reshape", targetShape: [4, 1], inputShape: [4] },
    { layer: "LSTM", units: 5 },
    { layer: "Dense", units: 3 },
  ],
};

/** Whole numbers in [0, 5), which tokens must be and any other model may have. */
const tokens = (number: number, samples = 8) => {
  const batch = batchOf(number, samples);
  const inputs = Float32Array.from({ length: samples * 4 }, (_, i) => (i * i + 3 * number) % 5);
  return { ...batch, inputs: new Uint8Array(inputs.buffer) };
};

/** Opens a model twice on the native backend: as it is, and without the compiler. */
async function both(layers: Layers, cuts?: number[]) {
  const lines: string[] = [];
  const notice = (line: string) => lines.push(line);
  const compiled = await openGradients({ layers, cuts, backend: "tfjs-node", notice });
  const eager = await openGradients({ layers, cuts, backend: "tfjs-node", compiled: false });
  return { compiled, eager, lines };
}

const bits = (g: Float32Array): Buffer => Buffer.from(g.buffer, g.byteOffset, g.byteLength);

describe("a compiled gradient", { skip }, () => {
  for (const [name, layers] of Object.entries(MODELS)) {
    it(`has the bits of the operations one by one: ${name}`, async () => {
      const { compiled, eager, lines } = await both(layers);
      const moved = eager.initialWeights.map((value, i) => value + 0.1 * Math.sin(i));
      for (const [i, number] of [0, 1, 2, 3, 7, 2, 100].entries()) {
        if (i === 5) for (const { setWeights } of [compiled, eager]) setWeights(moved);
        const expected = eager.gradientOf(tokens(number));
        const { result, operations } = counted(() => compiled.gradientOf(tokens(number)));
        assert.equal(result.loss, expected.loss, `the loss of micro-batch ${number}`);
        assert.ok(bits(result.g).equals(bits(expected.g)), `the gradient of micro-batch ${number}`);
        assert.equal(operations > 0, i < 3, `micro-batch ${number} took ${operations} operations: ${lines}`);
      }
      assert.deepEqual(lines, []);
      for (const { gradients } of [compiled, eager]) gradients.dispose();
    });
  }

  it("evaluates with the weights that were loaded last, and computes batches of other sizes", async () => {
    const { compiled, eager } = await both(MODELS["BatchNorm and two dropouts of one shape"]);
    for (const number of [0, 1, 2, 3]) compiled.gradientOf(tokens(number));
    const moved = eager.initialWeights.map((value, i) => value + 0.1 * Math.cos(i) ** 2);
    for (const { setWeights } of [compiled, eager]) setWeights(moved);
    assert.deepEqual(compiled.gradients.evaluate(tokens(9)), eager.gradients.evaluate(tokens(9)));
    assert.deepEqual(compiled.gradientOf(tokens(4, 5)), eager.gradientOf(tokens(4, 5)));
    assert.deepEqual(compiled.gradientOf(tokens(5)), eager.gradientOf(tokens(5)));
    for (const { gradients } of [compiled, eager]) gradients.dispose();
  });

  it("writes tensors that lie in two segments", async () => {
    const { compiled, eager } = await both(MODELS["dense layers"], [13, 50]);
    for (const number of [0, 1, 2, 3, 4]) {
      assert.deepEqual(compiled.gradientOf(tokens(number)), eager.gradientOf(tokens(number)));
    }
    for (const { gradients } of [compiled, eager]) gradients.dispose();
  });

  it("leaks no tensor, and no memory to speak of", async () => {
    const { compiled, eager } = await both(MODELS["dense layers"]);
    const once = (number: number): void => {
      compiled.setWeights(compiled.initialWeights);
      compiled.gradientOf(tokens(number));
    };
    for (let number = 0; number < 300; number++) once(number);
    const { numTensors, numDataBuffers } = tf.memory();
    const before = process.memoryUsage.rss();
    for (let number = 0; number < 3000; number++) once(number);
    assert.deepEqual([tf.memory().numTensors, tf.memory().numDataBuffers], [numTensors, numDataBuffers]);
    const grownBytes = process.memoryUsage.rss() - before;
    assert.ok(grownBytes < 64e6, `${grownBytes} bytes more after 3,000 micro-batches`);
    for (const { gradients } of [compiled, eager]) gradients.dispose();
  });

  it("waits for other micro-batches where the same one comes again", async () => {
    const { compiled, eager, lines } = await both(MODELS["BatchNorm and two dropouts of one shape"]);
    for (const number of [4, 4, 4, 5, 5, 6]) {
      assert.deepEqual(compiled.gradientOf(tokens(number)), eager.gradientOf(tokens(number)));
    }
    assert.deepEqual(lines, []);
    for (const { gradients } of [compiled, eager]) gradients.dispose();
  });
});

/** How many operations TensorFlow is asked for meanwhile, one by one. */
function counted<T>(compute: () => T): { result: T; operations: number } {
  const backend = tf.backend() as unknown as { executeSingleOutput: (...args: unknown[]) => unknown };
  const { executeSingleOutput } = backend;
  let operations = 0;
  backend.executeSingleOutput = function (...args) {
    operations++;
    return executeSingleOutput.apply(this, args);
  };
  try {
    const result = compute();
    return { result, operations };
  } finally {
    backend.executeSingleOutput = executeSingleOutput;
  }
}
