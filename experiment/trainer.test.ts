import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveTask, type Task } from "../tasks/index.js";
import { trainInProcess } from "./trainer.js";

const KAPPA = 4;
const TASK: Task = resolveTask("small", {
  name: "small",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 10 },
    ],
  },
  loss: "softmaxCrossEntropy",
  dataset: { kind: "mnist", limit: 1_000, testLimit: 50 },
  microBatchSize: 16,
  microBatchesPerStep: KAPPA,
  samples: 16 * KAPPA * 3,
  learningRate: 0.01,
});

describe("trainInProcess()", () => {
  it("measures the noise of a step from its sums", async () => {
    const { m, v, noise } = await trainInProcess(TASK, { steps: 1, evaluate: false, measureNoise: true });
    // After the first step m = κγ1·S1/κ and v = κγ2·S2/κ.
    const [s1, s2] = [m, v].map((moment, i) => Float64Array.from(moment, (x) => x / (1 - [TASK.beta1, TASK.beta2][i])));
    const squaredNorm1 = s1.reduce((sum, x) => sum + x * x, 0);
    const sum2 = s2.reduce((sum, x) => sum + x, 0);
    const trace = (16 * (sum2 - squaredNorm1 / KAPPA)) / (KAPPA - 1);
    const squaredGradient = (squaredNorm1 - sum2) / (KAPPA * (KAPPA - 1));
    assert.ok(Math.abs(noise!.trace / trace - 1) < 1e-5, `${noise!.trace}, not ${trace}`);
    assert.ok(Math.abs(noise!.squaredGradient / squaredGradient - 1) < 1e-5);
  });

  it("takes another order of the samples without changing the initial weights", async () => {
    const first = await trainInProcess(TASK, { evaluateFirst: true });
    const other = await trainInProcess(TASK, { evaluateFirst: true, orderSeed: 77 });
    const same = await trainInProcess(TASK, { evaluateFirst: true, orderSeed: TASK.seed });
    assert.equal(other.evaluations[0].loss, first.evaluations[0].loss);
    assert.notEqual(other.stateHash, first.stateHash);
    assert.equal(same.stateHash, first.stateHash);
  });

  it("leaves the same bits whether or not it measures and evaluates", async () => {
    const { stateHash } = await trainInProcess(TASK, { evaluate: false });
    const measured = await trainInProcess(TASK, { evaluateFirst: true, measureNoise: true });
    assert.equal(measured.stateHash, stateHash);
  });
});
