import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createPaint, createPlainPace, plainLine, type RunView, terminalLines } from "./view.js";

const view: RunView = {
  task: "mnist",
  samples: 75_008,
  samplesTotal: 300_032,
  samplesPerSecond: 6_543.2,
  secondsLeft: 34.4,
  trainingSamples: 60_000,
  loss: 0.07123,
  evaluation: { loss: 0.0931, accuracy: 0.9712 },
  microBatchesPerStep: 4,
  microBatchSize: 64,
  learningRate: 0.002,
  noiseScale: 5_432,
  workers: 2,
  activity: undefined,
};

describe("terminalLines()", () => {
  const plain = createPaint(false);

  it("shows how much is done, how fast, how well and for how long", () => {
    const [bar, figures] = terminalLines(view, 130, plain);
    assert.equal(bar, `mnist  ${"█".repeat(10)}${"░".repeat(30)}  25 %  75,008 of 300,032 samples  6,540/s  34 s left`);
    assert.equal(
      figures,
      "epoch 1.25 of 5  loss 0.0712  test loss 0.0931  accuracy 97.12 %  κ 4  batch 256  noise scale 5,430  η′ 0.00200  2 workers",
    );
    const noisy = terminalLines({ ...view, noiseScale: Number.NaN }, 130, plain)[1];
    assert.match(noisy, /batch 256 {2}noise scale not resolved/);
  });

  it("fits the terminal, down to the shortest bar", () => {
    for (const columns of [72, 80, 100, 200]) {
      const [bar, figures] = terminalLines(view, columns, plain);
      assert.ok(bar.length <= columns, `${bar.length} of ${columns}`);
      assert.ok(figures.length <= columns && figures.includes("accuracy 97.12 %"), `${figures.length} of ${columns}`);
    }
  });

  it("shows the same text with colours", () => {
    const painted = terminalLines(view, 100, createPaint(true));
    assert.notDeepEqual(painted, terminalLines(view, 100, plain));
    assert.deepEqual(painted.map(stripVTControlCharacters), terminalLines(view, 100, plain));
  });

  it("leaves out what is not known yet", () => {
    const first = {
      ...view,
      samples: 0,
      samplesPerSecond: 0,
      secondsLeft: Number.NaN,
      loss: undefined,
      evaluation: undefined,
    };
    const [bar, figures] = terminalLines({ ...first, workers: 0, activity: "waiting for workers" }, 100, plain);
    assert.doesNotMatch(bar, /left|NaN/);
    assert.equal(figures, "epoch 0.00 of 5  κ 4  batch 256  0 workers  waiting for workers");
  });
});

describe("plainLine()", () => {
  it("shows everything in one line", () => {
    assert.equal(
      plainLine(view),
      "25 %, 75,008 of 300,032 samples, epoch 1.25 of 5, 6,540 samples/s, loss 0.0712, test loss 0.0931, accuracy 97.12 %, κ 4, batch 256, noise scale 5,430, η′ 0.00200, 2 workers, 34 s left",
    );
  });

  it("has no accuracy where it has no meaning", () => {
    assert.doesNotMatch(plainLine({ ...view, evaluation: { loss: 1, accuracy: null } }), /accuracy/);
  });
});

describe("createPlainPace()", () => {
  it("gives a line at the start, at each tenth, and after ten seconds of silence", () => {
    const pace = createPlainPace(0);
    const due = [
      [0, 0],
      [0.05, 1_000],
      [0.1, 2_000],
      [0.19, 11_999],
      [0.19, 12_000],
      [0.19, 12_001],
      [0.35, 12_002],
    ].map(([share, nowMs]) => pace.isDue(share, nowMs));
    assert.deepEqual(due, [true, false, true, false, true, false, true]);
  });

  it("gives fewer lines the longer a run lasts", () => {
    const pace = createPlainPace(0);
    const hourMs = 3_600_000;
    pace.isDue(0, 10 * hourMs);
    assert.equal(pace.isDue(0.001, 10.1 * hourMs), false);
    assert.equal(pace.isDue(0.002, 10.3 * hourMs), true);
  });
});
