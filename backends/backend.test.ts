import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { type Backend, type BackendName, openBackend } from "./index.js";
import { settings } from "./settings.test.helper.js";

const names: BackendName[] = ["wasm", "cpu"];

/** The bits of a small convolutional net's gradient, every weight in order. */
function gradientBits(): string {
  const model = sequential({
    layers: [
      layers.conv2d({ filters: 5, kernelSize: 3, padding: "same", activation: "relu", inputShape: [9, 8, 2] }),
      layers.conv2d({ filters: 4, kernelSize: 3, strides: 2 }),
      layers.maxPooling2d({}),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
  });
  const bits = tf.tidy(() => {
    const weights = model.trainableWeights.map((weight, n) => {
      weight.write(tf.randomNormal(weight.shape as number[], 0, 0.3, "float32", n + 1));
      return weight.read() as tf.Variable;
    });
    const x = tf.randomNormal([6, 9, 8, 2], 0, 1, "float32", 7);
    const { grads } = tf.variableGrads(() => tf.mean(tf.square(model.apply(x) as tf.Tensor)) as tf.Scalar, weights);
    return weights.map((weight) => Buffer.from(grads[weight.name].dataSync().buffer).toString("hex")).join("");
  });
  model.dispose();
  return bits;
}

describe("openBackend(settings)", () => {
  const open: Backend[] = [];
  after(() => {
    for (const backend of open) backend.dispose();
  });

  for (const name of names) {
    it(`computes the same gradient twice to the bit on ${name}`, async () => {
      open.push(await openBackend(name, settings));
      const first = gradientBits();
      assert.ok(first.length > 1000);
      assert.equal(gradientBits(), first);
    });

    it(`opens ${name} again after it was disposed, with the same bits`, async () => {
      const backend = await openBackend(name, settings);
      const before = gradientBits();
      backend.dispose();
      open.push(await openBackend(name, settings));
      assert.equal(gradientBits(), before);
    });
  }

  it("says what its bits depend on", async () => {
    const backend = await openBackend("wasm");
    open.push(backend);
    assert.equal(backend.numerics.backend, "wasm");
    assert.equal(backend.numerics.architecture, process.arch);
    assert.match(backend.numerics.version, /^\d+\.\d+\.\d+$/);
    assert.equal(backend.numerics.flags, "simd, arithmetic 2");
  });

  it("opens wasm inside worker threads, which compute the bits of the main thread", async () => {
    open.push(await openBackend("wasm"));
    const source = `
      const { parentPort } = require("node:worker_threads");
      import(${JSON.stringify(new URL("./index.js", import.meta.url).href)}).then(async ({ openBackend }) => {
        const tf = require("@tensorflow/tfjs-core");
        const backend = await openBackend("wasm");
        const product = tf.matMul(tf.randomNormal([40, 30], 0, 1, "float32", 1), tf.randomNormal([50, 30], 0, 1, "float32", 2), false, true);
        parentPort.postMessage(Buffer.from(product.dataSync().buffer).toString("hex"));
        backend.dispose();
      });`;
    const inThread = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const thread = new Worker(source, { eval: true });
        thread.once("message", resolve);
        thread.once("error", reject);
      });
    const here = tf.tidy(() => {
      const a = tf.randomNormal([40, 30], 0, 1, "float32", 1);
      const b = tf.randomNormal([50, 30], 0, 1, "float32", 2);
      return tf.matMul(a, b, false, true).dataSync();
    });
    const expected = Buffer.from(here.buffer).toString("hex");
    assert.deepEqual(await Promise.all([inThread(), inThread()]), [expected, expected]);
  });
});
