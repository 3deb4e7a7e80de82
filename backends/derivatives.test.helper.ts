/**
 * A layer case's derivatives: what a backend computes in float32, and what tfjs's forward pass has in float64 along
 * random directions, by central differences.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import * as core from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import type { Precision } from "../shared/precision.js";
import { createRandom, type Random } from "../shared/random.js";
import type { DifferencesReply, DifferencesRequest } from "./float64-thread.test.helper.js";
import { distinctArray, randomArray, sizeOf } from "./gradient-check.test.helper.js";
import { type BackendName, openBackend } from "./index.js";
import { BATCH, buildCase, type LayerCase, weightedSum } from "./layer-cases.test.helper.js";
import { settings } from "./settings.test.helper.js";

/**
 * Largest difference of a derivative, relative to the gradient's and the direction's lengths. A factor that keeps p
 * bits of mantissa is off by up to 2^-(p + 1) of itself, and a layer's derivative comes from a few products.
 */
const TOLERANCE: Readonly<Record<Precision, number>> = { float32: 2e-5, tf32: 2 ** -10, bfloat16: 2 ** -7 };

const length = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

/** Where a case's derivatives are asked. */
export interface Place {
  /** The inputs, each BATCH samples long, in [−1, 1). */
  inputs(example: LayerCase, random: Random): Float64Array[];
  /** Directions for each tensor: an error in any element of its gradient shows in all of them. */
  readonly directions: number;
  /** Another draw of all numbers; 0 by default. */
  readonly draw?: number;
}

/** Inputs of which no two elements are equal: a maximum of equal ones has no gradient. */
export const DISTINCT: Place = {
  directions: 2,
  inputs({ shapes }, random) {
    const total = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
    const { values } = distinctArray([BATCH, total], random);
    let end = 0;
    return shapes.map((shape) => {
      const x = values.slice(end, end + BATCH * sizeOf(shape));
      end += x.length;
      return x;
    });
  },
};

/** What the case computes in float32 on the current backend, at seeded weights and inputs, and what to compare. */
function gradientsOf(example: LayerCase, index: number, place: Place) {
  const random = createRandom(index + 1 + 1_000 * (place.draw ?? 0));
  const model = buildCase(layers, example);
  const dtype = example.tokens === undefined ? "float32" : "int32";
  const inputs = place
    .inputs(example, random)
    .map((x) => (example.tokens === undefined ? x : x.map((value) => Math.floor(((value + 1) / 2) * example.tokens!))));
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
    Array.from({ length: place.directions }, () => randomArray([gradient.length], random).values),
  );
  const request: DifferencesRequest = { index, weights, inputs, outputWeights, directions };
  return { ...found, request };
}

export interface Derivatives {
  /** Asserts that the case's derivatives are those of float64 on each backend. */
  check(
    index: number,
    example: LayerCase,
    backends: readonly BackendName[],
    place?: Place,
    precision?: Precision,
  ): Promise<void>;
  stop(): Promise<unknown>;
}

/** Starts the thread that computes in float64. */
export function openDerivatives(): Derivatives {
  const thread = new Worker(new URL("./float64-thread.test.helper.js", import.meta.url));
  return {
    stop: () => thread.terminate(),
    async check(index, example, backends, place = DISTINCT, precision = "float32") {
      let expected: DifferencesReply | undefined;
      for (const backend of backends) {
        const { inPrecision } = await openBackend(backend, settings);
        const { loss, gradients, request } = inPrecision(precision, () => gradientsOf(example, index, place));
        if (expected === undefined) {
          thread.postMessage(request);
          [expected] = (await once(thread, "message")) as [DifferencesReply];
        }
        const scale = Math.max(Math.abs(expected.loss), request.outputWeights.length);
        const tolerance = TOLERANCE[precision];
        assert.ok(
          Math.abs(loss - expected.loss) <= (tolerance / 2) * scale,
          `${backend}: loss ${loss}, not ${expected.loss}`,
        );
        gradients.forEach((gradient, n) => {
          request.directions[n].forEach((direction, d) => {
            const derivative = direction.reduce((sum, x, i) => sum + x * gradient[i], 0);
            const difference = Math.abs(derivative - expected!.derivatives[n][d]);
            const allowed = tolerance * Math.max(1, length(gradient) * length(direction));
            const numbers = `${derivative}, not ${expected!.derivatives[n][d]} (± ${allowed})`;
            assert.ok(difference <= allowed, `${backend}: tensor ${n} of ${gradients.length}: ${numbers}`);
          });
        });
      }
    },
  };
}
