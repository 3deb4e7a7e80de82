import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  addEvaluation,
  addStep,
  createHistory,
  cutBack,
  EVALUATIONS_MAX,
  type MutableHistory,
  PHASE_AT,
  POINTS_MAX,
  type StepRow,
} from "./history.js";

const row = (step: number, loss: number | null = step): StepRow => [
  step,
  64 * (step + 1),
  loss,
  0.1,
  4,
  2,
  30,
  0.4,
  0.004,
  5,
  3,
];

function filled(steps: number, loss?: (step: number) => number | null): MutableHistory {
  const history = createHistory(["step", "compute"]);
  for (let step = 0; step < steps; step++) addStep(history, row(step, loss?.(step)));
  return history;
}

describe("a run's history", () => {
  it("holds each step as it is while there are few", () => {
    const { points, stepsPerPoint } = filled(3);
    assert.equal(stepsPerPoint, 1);
    assert.deepEqual(points[2], [2, 192, 2, 2, 2, 0.1, 4, 2, 30, 1, 0.4, 0.004, 5, 3]);
  });

  it("keeps 100,000 steps in bounded memory, with every peak and the mean", () => {
    const peak = 54_321;
    const { points, stepsPerPoint } = filled(100_000, (step) => (step === peak ? 99 : 1));
    assert.ok(points.length <= POINTS_MAX && points.length > POINTS_MAX / 4, `${points.length} points`);
    assert.equal(stepsPerPoint, 64);
    assert.equal(points.at(-1)?.[0], 99_999);
    assert.equal(
      points.reduce((sum, point) => sum + point[9], 0),
      100_000,
    );
    assert.equal(points.filter((point) => point[3] === 99).length, 1);
    const mean = points.reduce((sum, point) => sum + (point[4] ?? 0) * point[9], 0) / 100_000;
    assert.ok(Math.abs(mean - (1 + 98 / 100_000)) < 1e-9, `${mean}`);
  });

  it("has means in which every step weighs the same, however steps were joined", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 * POINTS_MAX }), (steps) => {
        const { points } = filled(steps);
        for (const [last, , low, high, mean, , , , , count] of points) {
          const first = last - count + 1;
          assert.deepEqual([low, high], [first, last]);
          assert.ok(Math.abs((mean ?? Number.NaN) - (first + last) / 2) < 1e-6);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("leaves steps without a finite loss out of range and mean", () => {
    const { points } = filled(2 * POINTS_MAX + 2, (step) => (step % 2 === 0 ? null : 3));
    const [, , low, high, mean, , , , , count] = points[0];
    assert.deepEqual([low, high, mean, count], [3, 3, 3, 4]);
    assert.equal(points[0][PHASE_AT], 5);
  });

  it("goes back to a step with the run", () => {
    const history = filled(10);
    addEvaluation(history, [4, 256, 1, 0.5]);
    addEvaluation(history, [8, 512, 1, 0.6]);
    cutBack(history, 6);
    assert.equal(history.points.at(-1)?.[0], 5);
    assert.deepEqual(history.evaluations, [[4, 256, 1, 0.5]]);
    const long = filled(5_000);
    cutBack(long, 4_001);
    const last = long.points.at(-1)?.[0] ?? 0;
    assert.ok(last < 4_001 && last >= 4_001 - long.stepsPerPoint - 1, `${last}`);
  });

  it("keeps the newest evaluation however many there are", () => {
    const history = createHistory();
    for (let i = 0; i < 3 * EVALUATIONS_MAX; i++) {
      addEvaluation(history, [i, i, 1, null]);
      assert.equal(history.evaluations.at(-1)?.[0], i);
      assert.ok(history.evaluations.length <= EVALUATIONS_MAX);
    }
  });
});
