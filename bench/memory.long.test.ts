import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BackendName, probeBackend } from "../backends/index.js";
import { settings } from "../backends/settings.test.helper.js";
import type { ModelCaseName } from "../compute/gradients/model-cases.test.helper.js";
import { growth, type MemoryScenario, measureMemory } from "./memory.js";

/** A share of `npm run bench -- memory`: fewer micro-batches, of the models that hold the most kinds of tensors. */
const MICRO_BATCHES = 80;
const cases: [BackendName, ModelCaseName][] = [
  ["wasm", "resnet18"],
  ["wasm", "gpt"],
  ["cpu", "mlp"],
  ["tfjs-node", "resnet18"],
  ["tfjs-node", "gpt"],
];

const native = await probeBackend("tfjs-node", settings);

describe("memory over many micro-batches", () => {
  for (const [backend, model] of cases) {
    const skip = backend === "tfjs-node" && !native.available && native.reason;
    it(`does not grow on ${backend} with ${model}`, { skip }, async () => {
      const result = await measureMemory(backend, model, MICRO_BATCHES);
      assert.equal(result.points.length, 4);
      assert.ok(result.points[0].tensors > 0);
      assert.equal(growth(scenarioOf(result)), undefined);
    });
  }

  it("is reported to grow when a tensor is left behind, or more of the machine's memory is held", () => {
    const point = { microBatches: 10, tensors: 5, residentMiB: 100, heapMiB: 10 };
    assert.equal(growth(scenarioOf({ points: [point], tensorsGrown: 0, residentGrownMiB: 16 })), undefined);
    const leak = growth(scenarioOf({ points: [point], tensorsGrown: 1, residentGrownMiB: 0 }));
    assert.match(leak!, /^memory has grown: a model by 1 tensors and 0 MiB/);
    assert.match(growth(scenarioOf({ points: [point], tensorsGrown: 0, residentGrownMiB: 17 }))!, /17 MiB/);
  });
});

function scenarioOf(result: MemoryScenario["results"][string]): MemoryScenario {
  const common = { scenario: "memory", microBatches: MICRO_BATCHES, residentGrowthMaxMiB: 16 } as const;
  return { ...common, results: { "a model": result }, missing: {} };
}
