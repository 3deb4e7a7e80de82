import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import * as core from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { createRandom } from "../../shared/random.js";
import { layerTable } from "../../tasks/models/index.js";
import type { DifferencesReply, DifferencesRequest } from "./float64-thread.test.helper.js";
import { backendNames, distinctArray, randomArray, sizeOf } from "./gradient-check.test.helper.js";
import { type BackendName, openBackend, probeBackend } from "./index.js";
import { BATCH, buildCase, type LayerCase, layerCases, weightedSum } from "./layer-cases.test.helper.js";

/** Directions per tensor: an error in any element of its gradient shows in all of them. */
const DIRECTIONS = 2;

/** Largest difference of a derivative in float32, relative to the gradient's and the direction's lengths. */
const TOLERANCE = 2e-5;

const length = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

/** What the case computes in float32 on the current backend, at seeded weights and inputs, and what to compare. */
function gradientsOf(example: LayerCase, index: number) {
  const random = createRandom(index + 1);
  const model = buildCase(layers, example);
  const dtype = example.tokens === undefined ? "float32" : "int32";
  const total = example.shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  // All inputs at once, so that no two elements are equal: a maximum of equal ones has no gradient.
  const { values } = distinctArray([BATCH, total], random);
  let end = 0;
  const inputs = example.shapes.map((shape) => {
    const x = values.slice(end, end + BATCH * sizeOf(shape));
    end += x.length;
    return example.tokens === undefined ? x : x.map((value) => Math.floor(((value + 1) / 2) * example.tokens!));
  });
  const weights = model.trainableWeights.map((weight) => randomArray(weight.shape as number[], random).values);
  const outputShape = [BATCH, ...(model.outputs[0].shape.slice(1) as number[])];
  const outputWeights = randomArray(outputShape, random).values;

  const tensors = core.memory().numTensors;
  const found = core.tidy(() => {
    const variables = model.trainableWeights.map((weight, i) => {
      weight.write(core.tensor(Float32Array.from(weights[i]), weight.shape as number[]));
      return weight.read() as core.Variable;
    });
    const given = inputs.map((x, i) => {
      const shape = [BATCH, ...example.shapes[i]];
      return dtype === "int32"
        ? core.tensor(Int32Array.from(x), shape, "int32")
        : core.variable(core.tensor(Float32Array.from(x), shape));
    });
    const all = dtype === "int32" ? variables : [...variables, ...(given as core.Variable[])];
    const dy = core.tensor(Float32Array.from(outputWeights), outputShape);
    const { value, grads } = core.variableGrads(() => weightedSum(core, model, given, dy).loss, all);
    const gradients = all.map(({ name, size }) => grads[name]?.dataSync() ?? new Float32Array(size));
    if (dtype === "float32") core.dispose(given);
    return { loss: value.dataSync()[0], gradients };
  });
  assert.equal(core.memory().numTensors, tensors, "tensors were left behind");
  model.dispose();
  const directions = found.gradients.map((gradient) =>
    Array.from({ length: DIRECTIONS }, () => randomArray([gradient.length], random).values),
  );
  const request: DifferencesRequest = { index, weights, inputs, outputWeights, directions };
  return { ...found, request };
}

function registeredLayers(): string[] {
  const { classNameMap } = core.serialization.SerializationMap.getMap();
  return Object.entries(classNameMap)
    .filter(([, [layer]]) => (layer as unknown as { prototype: unknown }).prototype instanceof layers.layers.Layer)
    .map(([name]) => name);
}

describe("layerTable", () => {
  it("has every layer class that is registered with tfjs, our own too, and no other", () => {
    const registered = registeredLayers();
    assert.ok(registered.length > 60);
    assert.deepEqual(Object.keys(layerTable).sort(), registered.sort());
  });

  it("calls a layer trained exactly if its gradients are tested below", () => {
    const trained = Object.keys(layerTable).filter((name) => layerTable[name].trained);
    assert.deepEqual(trained.sort(), [...new Set(layerCases.map(({ className }) => className))].sort());
  });
});

const native = await probeBackend("tfjs-node");
const suites: { backends: BackendName[]; skip: string | false }[] = [
  { backends: backendNames, skip: false },
  { backends: ["tfjs-node"], skip: !native.available && native.reason },
];

for (const { backends, skip } of suites) {
  describe(`the gradients of every layer that is trained, on ${backends.join(" and ")}`, { skip }, () => {
    let thread: Worker;
    before(() => {
      thread = new Worker(new URL("./float64-thread.test.helper.js", import.meta.url));
    });
    after(() => thread.terminate());

    layerCases.forEach((example, index) => {
      const { className, variant } = example;
      it(`${className}${variant && ` (${variant})`} are those of float64`, async () => {
        let expected: DifferencesReply | undefined;
        for (const backend of backends) {
          await openBackend(backend);
          const { loss, gradients, request } = gradientsOf(example, index);
          if (expected === undefined) {
            thread.postMessage(request);
            [expected] = (await once(thread, "message")) as [DifferencesReply];
          }
          const scale = Math.max(Math.abs(expected.loss), request.outputWeights.length);
          assert.ok(Math.abs(loss - expected.loss) <= 1e-5 * scale, `${backend}: loss ${loss}, not ${expected.loss}`);
          gradients.forEach((gradient, n) => {
            request.directions[n].forEach((direction, d) => {
              const derivative = direction.reduce((sum, x, i) => sum + x * gradient[i], 0);
              const difference = Math.abs(derivative - expected!.derivatives[n][d]);
              const allowed = TOLERANCE * Math.max(1, length(gradient) * length(direction));
              const numbers = `${derivative}, not ${expected!.derivatives[n][d]} (± ${allowed})`;
              assert.ok(difference <= allowed, `${backend}: tensor ${n} of ${gradients.length}: ${numbers}`);
            });
          });
        }
      });
    });
  });
}
