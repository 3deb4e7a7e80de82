import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MetricsLine } from "../../server/index.js";
import { statusMessage } from "../../shared/wire/messages/messages.test.helper.js";
import type { Display } from "./display.js";
import { createSmoothedLoss, describeArrivals, describeLine, followRun } from "./follow.js";

const event = (name: string, at: string, details: object): MetricsLine => ({
  type: "event",
  event: name,
  at,
  ...details,
});

const described = (line: MetricsLine) => describeLine(line, 512);

describe("describeLine()", () => {
  it("tells evaluations, checkpoints and what has to be computed again", () => {
    const evaluation = { type: "evaluation", step: 4, samples: 1024, loss: 0.5, accuracy: 0.75 } as const;
    assert.equal(described(evaluation), "after 1,024 samples, 2 epochs: test loss 0.500, accuracy 75.00 %");
    assert.equal(described({ ...evaluation, accuracy: null }), "after 1,024 samples, 2 epochs: test loss 0.500");
    assert.match(described({ ...evaluation, samples: 0 })!, /^untrained: test loss/);
    assert.equal(described(event("checkpoint", "", { step: 1200 })), "checkpoint of step 1,200 written");
    const rates = { learningRate: 0.004, gamma1: 0.4, gamma2: 0.004 };
    const kappa = { step: 120, samples: 9000, from: 2, kappa: 4, reason: "worker b joined: 2 workers", ...rates };
    const told = "κ 2 → 4 from step 120 on, η′ 0.00400, Γ1 0.400, Γ2 0.00400: worker b joined: 2 workers";
    assert.equal(described(event("kappa", "", kappa)), told);
    assert.match(described(event("kappa", "", { ...kappa, from: null }))!, /^κ is 4 from step 120 on/);
    const restored = (recomputedSteps: number) => event("restored", "", { term: 2, step: 7, recomputedSteps });
    assert.equal(described(restored(3)), "back at step 7: 3 steps to compute again");
    assert.equal(described(restored(0)), undefined);
  });
});

describe("describeArrivals()", () => {
  it("tells who has come and who has gone", () => {
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

describe("followRun()", () => {
  it("is silent about what an earlier start has shown", () => {
    const evaluation = (samples: number): MetricsLine => ({
      type: "evaluation",
      step: 1,
      samples,
      loss: 1,
      accuracy: null,
    });
    const file = [
      event("restored", "2020-01-01T00:00:00.000Z", { step: 0 }),
      evaluation(100),
      event("restored", "2999-01-01T00:00:00.000Z", { step: 1 }),
      evaluation(200),
    ];
    const printed: string[] = [];
    const print = (line: string) => printed.push(line);
    const display: Display = { moves: false, print, printLine: print, show: () => {}, close: () => {} };
    const unfollow = followRun(
      {
        status: () => statusMessage({ trainingSamples: 1 }),
        metrics: {
          subscribe(_fromLine, listener) {
            for (const [i, line] of file.entries()) void listener(JSON.stringify(line), i);
            return () => {};
          },
        },
      },
      display,
      "2999-01-01T00:00:00.000Z",
    );
    unfollow();
    assert.deepEqual(printed, ["after 200 samples, 200 epochs: test loss 1.00"]);
  });
});
