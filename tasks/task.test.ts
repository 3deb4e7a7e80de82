import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveTask, type TaskOverrides } from "./load-task.js";
import { matchesPattern, microBatchesOf, type TaskInput } from "./task.js";

const smallest: TaskInput = {
  name: "small",
  model: { kind: "sequential", layers: [{ layer: "Dense", units: 3, inputShape: [2] }] },
  loss: "softmaxCrossEntropy",
  dataset: { kind: "idx", folder: "/data" },
  microBatchSize: 10,
  samples: 1000,
  learningRate: 0.001,
};

describe("resolveTask()", () => {
  it("fills in what may be left out", () => {
    const task = resolveTask("t", smallest);
    assert.equal(task.microBatchesPerStep, 1);
    assert.deepEqual(task.optimizer, { name: "invariant", rule: "linear" });
    assert.deepEqual(task.schedule, { kind: "constant", warmupSamples: 0, totalSamples: 1000, finalFraction: 0 });
    assert.equal(task.evaluateEverySamples, 100);
    assert.equal(task.clipNorm, null);
  });

  it("gives the same task again when it is given its own JSON", () => {
    const task = resolveTask("t", smallest, { steps: 7, microBatchesPerStep: 3 });
    assert.deepEqual(resolveTask("t", JSON.parse(JSON.stringify(task))), task);
  });

  it("counts a length in steps as steps · κ · b samples, also with an overridden κ", () => {
    assert.equal(resolveTask("t", smallest, { steps: 7 }).samples, 70);
    assert.equal(resolveTask("t", smallest, { steps: 7, microBatchesPerStep: 4 }).samples, 280);
  });

  it("lets the schedule end with the run, unless the task says where", () => {
    assert.equal(resolveTask("t", smallest, { steps: 7 }).schedule.totalSamples, 70);
    const fixed = { ...smallest, schedule: { kind: "cosine", totalSamples: 500 } };
    assert.equal(resolveTask("t", fixed, { steps: 7 }).schedule.totalSamples, 500);
  });

  it("rounds the length up to whole micro-batches", () => {
    const task = resolveTask("t", smallest, { samples: 1001 });
    assert.equal(task.samples, 1010);
    assert.equal(microBatchesOf(task), 101);
  });

  it("ignores overrides that are undefined", () => {
    assert.equal(resolveTask("t", smallest, { seed: undefined, samples: undefined }).samples, 1000);
  });

  it("takes a range for κ, which ends where the optimizer's rule does unless it says where", () => {
    const perWorker = (change: object, rule: "linear" | "exponential" = "linear") =>
      resolveTask("t", {
        ...smallest,
        optimizer: { name: "invariant", rule },
        microBatchesPerStep: { perWorker: 2, ...change },
      }).microBatchesPerStep;
    assert.deepEqual(perWorker({}), { perWorker: 2, min: 1, max: 10 });
    assert.deepEqual(perWorker({}, "exponential"), { perWorker: 2, min: 1, max: 1024 });
    assert.deepEqual(perWorker({ min: 3, max: 6 }), { perWorker: 2, min: 3, max: 6 });
    const perNoiseScale = resolveTask("t", { ...smallest, microBatchesPerStep: { perNoiseScale: 0.1, max: 8 } });
    assert.deepEqual(perNoiseScale.microBatchesPerStep, { perNoiseScale: 0.1, min: 2, max: 8 });
    assert.deepEqual(resolveTask("t", JSON.parse(JSON.stringify(perNoiseScale))), perNoiseScale);
  });

  // What is changed in the smallest task (undefined: left out), and what the one sentence about it must say.
  const faults: [string, Record<string, unknown>, TaskOverrides, RegExp][] = [
    ["a missing field", { loss: undefined }, {}, /^t: loss is missing; it must be "softmaxCrossEntropy" or .*; choose/],
    ["a wrong type", { microBatchSize: "64" }, {}, /^t: microBatchSize is "64"; it must be a number; /],
    ["a fraction where a count is wanted", { samples: 10.5 }, {}, /^t: samples is 10.5; it must be a whole number; /],
    ["a number too small", { learningRate: 0 }, {}, /^t: learningRate is 0; it must be above 0; /],
    ["a number too large", { microBatchSize: 65537 }, {}, /^t: microBatchSize is 65537; it must be at most 65536; /],
    ["beta of 1", { beta2: 1 }, {}, /^t: beta2 is 1; it must be below 1; 0.999 is usual.$/],
    ["an unknown word", { loss: "hinge" }, {}, /^t: loss is "hinge"; it must be "softmaxCrossEntropy" or /],
    [
      "an unknown field, nearly right",
      { learning_rate: 1 },
      {},
      /unknown field "learning_rate"; did you mean learningRate/,
    ],
    [
      "several unknown fields, each nearly right or not",
      { learnngRate: 1, batchSize: 2, epochs: 3 },
      {},
      /^t: the task has the unknown fields "learnngRate" \(did you mean learningRate\?\), "batchSize" \(did you mean microBatchSize\?\), "epochs"; correct or remove them.$/,
    ],
    [
      "an unknown field of what a union's word says it is",
      { optimizer: { name: "sqrt", epsilom: "kept" } },
      {},
      /^t: optimizer has the unknown field "epsilom"; did you mean epsilon\?$/,
    ],
    ["an unknown field", { momentum: 0.9 }, {}, /^t: the task has the unknown field "momentum"; remove it.$/],
    [
      "an unknown field inside",
      { dataset: { kind: "mnist", shuffle: 1 } },
      {},
      /^t: dataset has the unknown field "shuffle"/,
    ],
    [
      "an unknown precision",
      { precision: "float16" },
      {},
      /^t: precision is "float16"; it must be "float32" or "tf32" or "bfloat16"; /,
    ],
    ["an unknown kind of data", { dataset: { kind: "parquet" } }, {}, /dataset.kind is "parquet"; .*mnist.*idx.*csv/],
    ["an unknown optimizer", { optimizer: { name: "sgd" } }, {}, /optimizer.name is "sgd"; .*invariant.*standard/],
    [
      "a model without layers",
      { model: { kind: "sequential", layers: [] } },
      {},
      /model.layers is \[\]; .*at least 1 long/,
    ],
    ["κγ > 1 under the linear rule", {}, { microBatchesPerStep: 11 }, /reaches 11, .* at most 10 .*"exponential"/],
    [
      "a warm-up longer than the decay",
      { schedule: { kind: "cosine", warmupSamples: 2000 } },
      {},
      /warmupSamples.* 2000/,
    ],
    ["a model's weights without a module", { initialWeights: "model" }, {}, /initialWeights is "model"; .*"seeded"/],
    ["κγ > 1 at a range's end", { microBatchesPerStep: { perWorker: 1, max: 12 } }, {}, /reaches 12, .* at most 10 /],
    [
      "a range that ends before it starts",
      { microBatchesPerStep: { perWorker: 1, min: 5, max: 4 } },
      {},
      /^t: microBatchesPerStep.max is 4; it must be at least microBatchesPerStep.min, which is 5.$/,
    ],
    [
      "no micro-batch per worker",
      { microBatchesPerStep: { perWorker: 0 } },
      {},
      /^t: microBatchesPerStep.perWorker is 0; it must be at least 1; give a number, or a range: /,
    ],
    [
      "a range that follows nothing",
      { microBatchesPerStep: { min: 1, max: 4 } },
      {},
      /^t: microBatchesPerStep.perWorker is missing; .*; give a number, or a range: /,
    ],
    [
      "noise of one micro-batch",
      { microBatchesPerStep: { perNoiseScale: 1, min: 1 } },
      {},
      /^t: microBatchesPerStep.min is 1; it must be at least 2; /,
    ],
    [
      "a length in steps of a range",
      { microBatchesPerStep: { perWorker: 1 } },
      { steps: 3 },
      /give the length as --samples/,
    ],
    ["no steps", {}, { steps: 0 }, /number of steps is 0; it must be a whole number of at least 1/],
    ["half a step", {}, { steps: 1.5 }, /number of steps is 1.5/],
  ];
  for (const [name, change, overrides, message] of faults) {
    it(`refuses ${name} in one sentence`, () => {
      assert.throws(
        () => resolveTask("t", { ...smallest, ...change }, overrides),
        (error: Error) => {
          assert.equal((error as { code?: string }).code, "invalid_input");
          assert.match(error.message, message);
          assert.equal(error.message.split("\n").length, 1, error.message);
          return true;
        },
      );
    });
  }

  it("allows κγ = 1 under the linear rule, and any κ under the exponential", () => {
    assert.equal(resolveTask("t", smallest, { microBatchesPerStep: 10 }).microBatchesPerStep, 10);
    const exponential = { microBatchesPerStep: 1000, optimizer: { name: "invariant", rule: "exponential" } } as const;
    assert.equal(resolveTask("t", smallest, exponential).microBatchesPerStep, 1000);
  });

  it("names every problem, one per line", () => {
    assert.throws(
      () => resolveTask("t", { ...smallest, learningRate: -1, seed: "x", nonsense: 1 }),
      (error: Error) => error.message.split("\n").length === 3,
    );
  });

  it("refuses anything but an object", () => {
    for (const input of [null, 3, "mnist", []])
      assert.throws(() => resolveTask("t", input), /^IsobatchError: t: the task/);
  });
});

describe("matchesPattern()", () => {
  const cases: [string, string, boolean][] = [
    ["dense_1/bias", "*/bias", true],
    ["dense_1/bias_extra", "*/bias", false],
    ["dense_1/kernel", "dense_1/kernel", true],
    ["a/b/c", "a*c", true],
    ["bias", "*bias", true],
    ["axb", "a.b", false],
    ["anything", "*", true],
  ];
  for (const [name, pattern, expected] of cases) {
    it(`${expected ? "matches" : "does not match"} ${name} with ${pattern}`, () => {
      assert.equal(matchesPattern(name, pattern), expected);
    });
  }
});
