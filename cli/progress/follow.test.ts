import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunEvent, RunStatus } from "../../index.js";
import { createSmoothedLoss, describeArrivals, describeEvent, viewOf } from "./follow.js";

const event = (type: RunEvent["type"], details: object) => ({ type, at: "", ...details }) as RunEvent;
const described = (given: RunEvent) => describeEvent(given, 512);

describe("describeEvent()", () => {
  it("shows evaluations, checkpoints and steps that are computed again", () => {
    const evaluation = { type: "evaluation", step: 4, samples: 1024, loss: 0.5, accuracy: 0.75 } as const;
    assert.equal(described(evaluation), "after 1,024 samples, 2 epochs: test loss 0.500, accuracy 75.00 %");
    assert.equal(described({ ...evaluation, accuracy: null }), "after 1,024 samples, 2 epochs: test loss 0.500");
    assert.match(described({ ...evaluation, samples: 0 })!, /^untrained: test loss/);
    assert.equal(described(event("checkpoint", { step: 1200 })), "checkpoint of step 1,200 written");
    const rates = { learningRate: 0.004, gamma1: 0.4, gamma2: 0.004 };
    const kappa = { step: 120, samples: 9000, from: 2, kappa: 4, reason: "worker b joined: 2 workers", ...rates };
    const change = "κ 2 → 4 from step 120 on, η′ 0.00400, Γ1 0.400, Γ2 0.00400: worker b joined: 2 workers";
    assert.equal(described(event("kappa", kappa)), change);
    assert.match(described(event("kappa", { ...kappa, from: null }))!, /^κ is 4 from step 120 on/);
    const restored = (recomputedSteps: number) => event("restored", { term: 2, step: 7, recomputedSteps });
    assert.equal(described(restored(3)), "back at step 7: 3 steps to compute again");
    assert.equal(described(restored(0)), undefined);
  });
});

describe("viewOf()", () => {
  it("shows no evaluation of the untrained model, which says nothing about the run", () => {
    const evaluatedAt = (step: number) => viewOf(statusAt(step), undefined).evaluation;
    assert.equal(evaluatedAt(0), undefined);
    assert.deepEqual(evaluatedAt(9), { loss: 0.5, accuracy: 0.75 });
  });

  const statusAt = (step: number) =>
    ({ workers: [], evaluation: { step, loss: 0.5, accuracy: 0.75 } }) as unknown as RunStatus;
});

describe("describeArrivals()", () => {
  it("shows which workers have joined and left", () => {
    const worker = (id: string) => ({ id, device: "a device", computeThreads: 2 });
    const lines = describeArrivals([worker("a"), worker("b")], [worker("b"), worker("c")]);
    assert.deepEqual(lines, ["worker a has left", "worker c has joined: a device, 2 compute threads"]);
  });
});

describe("createSmoothedLoss()", () => {
  it("is the first loss at first, and then follows slowly", () => {
    const loss = createSmoothedLoss();
    assert.equal(loss.value, undefined);
    loss.add(2);
    assert.equal(loss.value, 2);
    for (let i = 0; i < 20; i++) loss.add(1);
    assert.ok(loss.value! > 1 && loss.value! < 1.1, String(loss.value));
  });
});
