import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CHARTS, type ChartDefinition, recentLoss, spansDecades, startsLogarithmic } from "./charts.js";
import { addEvaluation, addStep, createHistory, type MutableHistory } from "./history.js";
import { spoken, valueText } from "./values.js";

const SIZES = { microBatchSize: 64, samplesTotal: 1_000_000 };
const chart = (id: string): ChartDefinition => CHARTS.find((each) => each.id === id) ?? assert.fail(id);

/** Steps of κ = 4, but for the last. */
function history(kappas: readonly number[]): MutableHistory {
  const made = createHistory(["step", "pull", "wait", "compute", "push"]);
  let samples = 0;
  for (const [step, kappa] of kappas.entries()) {
    samples += 64 * kappa;
    addStep(made, [step, samples, step < 70 ? 9 : 2, 0.001 * kappa, kappa, 2, null, 0.1 * kappa, 0.001, 9, 1, 2, 5, 1]);
  }
  return made;
}

describe("the curves of a run", () => {
  it("have as many values as places, and their newest value in words", () => {
    const made = history(new Array(120).fill(4));
    for (const { curves } of CHARTS) for (const { x, y } of curves(made, SIZES)) assert.equal(x.length, y.length);
    assert.equal(recentLoss(made), 2);
    assert.equal(recentLoss(createHistory()), null);
    const rate = chart("learning-rate");
    const words = (of: MutableHistory) => spoken(rate.title, rate.curves(of, SIZES), rate.unit);
    assert.equal(words(made), "Learning rate, newest values: learning rate 0.00400");
    assert.equal(words(createHistory()), "Learning rate: no data yet");
    assert.deepEqual(
      [valueText(97.654, "%"), valueText(4_096, ""), valueText(1.5, "ms")],
      ["97.65 %", "4,096", "1.50 ms"],
    );
  });

  it("have no cliff where the run's last step is smaller than the others", () => {
    const made = history([4, 4, 4, 2]);
    const samplesTotal = 14 * 64;
    const last = (id: string, total: number) =>
      chart(id)
        .curves(made, { ...SIZES, samplesTotal: total })
        .map(({ y }) => y.at(-1));
    assert.deepEqual(last("cluster", samplesTotal), [4, 2]);
    assert.deepEqual(last("learning-rate", samplesTotal), [0.004]);
    assert.deepEqual(last("gammas", samplesTotal), [0.4, 0.001]);
    assert.equal(last("noise", samplesTotal)[1], 256);
    // In mid-run a smaller step is news.
    assert.deepEqual(last("cluster", samplesTotal + 1), [2, 2]);
    // A run of one step shows it.
    assert.deepEqual(
      chart("cluster")
        .curves(history([2]), { ...SIZES, samplesTotal: 128 })
        .map(({ y }) => y),
      [[2], [2]],
    );
  });

  it("leave the untrained model's evaluation out as soon as there is another", () => {
    const made = createHistory();
    const shown = () => chart("accuracy").curves(made, SIZES)[0];
    addEvaluation(made, [0, 0, 2.3, 0.09]);
    assert.deepEqual(shown().y, [9]);
    addEvaluation(made, [10, 640, 0.3, 0.96]);
    addEvaluation(made, [20, 1_280, 0.2, 0.97]);
    assert.deepEqual(
      [shown().x, shown().y],
      [
        [640, 1_280],
        [96, 97],
      ],
    );
    const test = chart("loss").curves(made, SIZES).at(-1);
    assert.deepEqual(test?.y, [0.3, 0.2]);
    // In a regression accuracy has no meaning.
    const regression = createHistory();
    addEvaluation(regression, [10, 640, 0.3, null]);
    assert.deepEqual(chart("accuracy").curves(regression, SIZES)[0].y, []);
  });

  it("start with the axis that shows most of them", () => {
    assert.deepEqual([spansDecades([2, 0.05]), spansDecades([2, 0.5]), spansDecades([2, 0])], [true, false, false]);
    const curve = { label: "train", colour: 1, look: "line", x: [1, 2] } as const;
    assert.equal(startsLogarithmic({ axis: "fitting" }, [{ ...curve, y: [2, 0.01] }]), true);
    assert.equal(startsLogarithmic({ axis: "fitting" }, [{ ...curve, y: [2, 1] }]), false);
    assert.equal(startsLogarithmic({ axis: "linear" }, [{ ...curve, y: [2, 0.01] }]), false);
    for (const { hasAxisButton, id } of CHARTS) assert.equal(hasAxisButton, id === "loss", id);
  });

  it("show only the phases of a step that follow one another", () => {
    const curves = chart("time").curves(history([4, 4]), SIZES);
    assert.deepEqual(
      curves.map(({ label, y }) => [label, y[0]]),
      [
        ["pull", 1],
        ["wait", 2],
        ["compute", 5],
        ["push", 1],
      ],
    );
  });
});
