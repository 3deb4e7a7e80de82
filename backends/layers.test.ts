import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as core from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { layerTable } from "../tasks/models/index.js";
import { type Derivatives, openDerivatives, type Place } from "./derivatives.test.helper.js";
import { backendNames, sizeOf } from "./gradient-check.test.helper.js";
import { type BackendName, probeBackend } from "./index.js";
import { BATCH, layerCases, nameOf } from "./layer-cases.test.helper.js";
import { settings } from "./settings.test.helper.js";

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

const native = await probeBackend("tfjs-node", settings);
const suites: { backends: BackendName[]; skip: string | false }[] = [
  { backends: backendNames, skip: false },
  { backends: ["tfjs-node"], skip: !native.available && native.reason },
];

for (const { backends, skip } of suites) {
  describe(`the gradients of every layer that is trained, on ${backends.join(" and ")}`, { skip }, () => {
    let derivatives: Derivatives;
    before(() => {
      derivatives = openDerivatives();
    });
    after(() => derivatives.stop());

    layerCases.forEach((example, index) => {
      const { className, variant } = example;
      it(`${className}${variant && ` (${variant})`} are those of float64`, () =>
        derivatives.check(index, example, backends));
    });
  });
}

/** Where all elements of a sample are equal, these have kinks; kinks.test.ts asks them. */
const KINKED = [
  /^(Leaky|P)?ReLU\b/,
  /^Activation (relu|relu6|selu)$/,
  /^(Global)?MaxPooling/,
  /^(Maximum|Minimum)$/,
  /^Masking/,
];

/** A sample of zeros (the middle token), and one of halves. */
const PLATEAUS: Place = {
  directions: 1,
  inputs: ({ shapes }) =>
    shapes.map((shape) =>
      Float64Array.from({ length: BATCH * sizeOf(shape) }, (_, i) => (i < sizeOf(shape) ? 0 : 0.5)),
    ),
};

describe("the gradients of every layer where all of a sample's inputs are equal", () => {
  const backends = native.available ? ([...backendNames, "tfjs-node"] as const) : backendNames;
  let derivatives: Derivatives;
  before(() => {
    derivatives = openDerivatives();
  });
  after(() => derivatives.stop());

  layerCases.forEach((example, index) => {
    const name = nameOf(example);
    if (KINKED.some((pattern) => pattern.test(name))) return;
    it(`${name}: those of float64`, () => derivatives.check(index, example, backends, PLATEAUS));
  });
});
