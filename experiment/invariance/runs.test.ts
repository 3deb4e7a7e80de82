import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveTask, type Task } from "../../tasks/index.js";
import { trainInProcess } from "../trainer.js";
import { arithmeticAtOne } from "./arithmetic.js";
import { allArms, findArm } from "./arms.js";
import { createProtocol } from "./protocol.js";
import { listRuns } from "./runs.js";

const TASK: Task = resolveTask("small", {
  name: "small",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 4, activation: "relu" },
      { layer: "Dense", units: 10 },
    ],
  },
  loss: "softmaxCrossEntropy",
  dataset: { kind: "mnist", limit: 400, testLimit: 50 },
  microBatchSize: 8,
  samples: 8 * 24,
  learningRate: 0.01,
  beta1: 0.99,
});

const PROTOCOL = { arms: ["standard", "invariant"], kappas: [1, 2, 4], learningRates: [0.01, 0.1], seeds: [3, 4] };

describe("allArms()", () => {
  it("has every optimizer and rule that a task may name, each once", () => {
    const names = allArms().map(({ name }) => name);
    assert.deepEqual(names, [
      ...["invariant-linear", "invariant-exponential", "invariant-pathwise"],
      ...["sqrt-scaled", "sqrt-kept", "linear-standard", "standard"],
    ]);
    for (const { optimizer } of allArms())
      assert.deepEqual(resolveTask("x", { ...TASK, optimizer }).optimizer, optimizer);
  });

  it("takes a bare name for the default, and refuses others with a list", () => {
    assert.equal(findArm("invariant").name, "invariant-linear");
    assert.throws(() => findArm("sgd"), /--arms has "sgd"; choose from .*invariant-linear/);
  });
});

describe("arithmeticAtOne()", () => {
  it("is the same for all arms whose runs leave the same bits at κ = 1, and for no others", {
    timeout: 60_000,
  }, async () => {
    const hashes = new Map<string, Set<string>>();
    const seen = new Set<string>();
    for (const { optimizer } of allArms()) {
      for (const weightDecay of [0, 0.3]) {
        const task = resolveTask("small", { ...TASK, optimizer, weightDecay });
        const { stateHash } = await trainInProcess(task, { evaluate: false });
        const digest = arithmeticAtOne(task);
        hashes.set(digest, (hashes.get(digest) ?? new Set()).add(stateHash));
        seen.add(stateHash);
      }
    }
    for (const [digest, leftBehind] of hashes) assert.equal(leftBehind.size, 1, digest);
    // The two weight decays are different arithmetic.
    assert.ok(seen.size >= 2 && hashes.size >= 2);
  });
});

describe("listRuns()", () => {
  const protocol = createProtocol(TASK, { ...PROTOCOL, microBatches: 24, evaluateEvery: 8 });
  const runs = listRuns(TASK, protocol);

  it("pairs every run with one at κ = 1 that differs from it only in κ and the rule", () => {
    const byKey = new Map(runs.map((run) => [run.key, run]));
    assert.equal(byKey.size, runs.length);
    for (const run of runs.filter(({ role }) => role !== "reference")) {
      const reference = byKey.get(run.reference!)!;
      assert.equal(reference.task.microBatchesPerStep, 1);
      const { optimizer, microBatchesPerStep, ...task } = run.task;
      const { optimizer: _, microBatchesPerStep: one, ...others } = reference.task;
      assert.deepEqual(task, others);
      assert.equal(run.orderSeed === null, run.role !== "order");
    }
  });

  it("trains one reference for all arms of the same arithmetic, and both floors", () => {
    const count = (role: string) => runs.filter((run) => run.role === role).length;
    // 2 seeds × 2 rates; the repetition for the first seed only; 2 arms × 2 κ.
    assert.deepEqual([count("reference"), count("repeat"), count("order"), count("arm")], [4, 2, 4, 16]);
  });

  it("lists the references first, then the largest κ, and the same runs at every call", () => {
    const order = runs.map(({ role }) => (role === "arm" ? 1 : 0));
    assert.deepEqual(order, order.toSorted());
    const kappas = runs.filter(({ role }) => role === "arm").map(({ kappa }) => kappa);
    assert.deepEqual(kappas, [...Array<number>(8).fill(4), ...Array<number>(8).fill(2)]);
    assert.deepEqual(runs, listRuns(TASK, protocol));
  });
});

describe("createProtocol()", () => {
  const refused = (input: object, sentence: RegExp) =>
    assert.throws(() => createProtocol(TASK, { ...PROTOCOL, ...input }), sentence);

  it("evaluates at multiples of every κ, and cuts the task's length to fit", () => {
    const { evaluateEvery, microBatches } = createProtocol(TASK, { ...PROTOCOL, kappas: [1, 2, 5] });
    assert.deepEqual([evaluateEvery, microBatches], [10, 20]);
  });

  it("refuses what can't be compared, in a sentence", () => {
    refused({ evaluateEvery: 6 }, /--evaluate-every is 6.*multiple of every κ, and 4 does not divide it/);
    refused({ microBatches: 30, evaluateEvery: 8 }, /30 micro-batches long.*multiple of the 8/);
    refused({ kappas: [1] }, /--kappa has no number above 1/);
    refused({ seeds: [1, 1] }, /--seeds has 1 twice/);
  });

  it("names the limit where a rule has no meaning at one of the κ", () => {
    const protocol = createProtocol(TASK, { ...PROTOCOL, kappas: [128], microBatches: 256 });
    assert.throws(() => listRuns(TASK, protocol), /at most 100 with beta1 = 0.99.*leave this arm or κ out/s);
  });
});
