import type { RunCurves } from "./curves.js";
import type { Points } from "./downsample.js";
import type { ChartData, CurveData } from "./report-data.js";

/** A chart with the words around it. */
export interface Chart extends ChartData {
  readonly title: string;
  /** What it shows, for somebody who has not read the documentation. */
  readonly note: string;
  /** Takes the page's whole width. */
  readonly wide: boolean;
}

/** The charts of a run, most wanted first; those without a point are left out. */
export function chartsOf(curves: RunCurves): Chart[] {
  const chart = (id: string, title: string, note: string, list: CurveData[], change: Partial<Chart> = {}): Chart => ({
    ...{ id, title, note, unit: "", wide: false, logarithmic: false },
    curves: list.filter(({ x }) => x.length > 0),
    ...change,
  });
  return [
    chart(
      "loss",
      "Loss",
      "Of the training samples, step by step and smoothed, and of the whole test set.",
      [
        curve("train, each step", 1, "pale", curves.trainLoss),
        curve("train, smoothed", 1, "line", curves.trainLossSmoothed),
        curve("test", 2, "dots", curves.testLoss),
      ],
      { wide: true, logarithmic: spansDecades(curves.trainLossSmoothed) },
    ),
    chart(
      "accuracy",
      "Test accuracy",
      "Share of the test samples classified right.",
      [curve("accuracy", 2, "dots", curves.testAccuracy)],
      { unit: "%" },
    ),
    chart("learning-rate", "Learning rate", "η′ of each step: the sum over its micro-batches.", [
      curve("learning rate", 3, "line", curves.learningRate),
    ]),
    chart(
      "gammas",
      "Averaging rates",
      "Γ1 and Γ2 of each step: what it adds to the averages of gradients and of squares.",
      [curve("Γ1", 5, "line", curves.gamma1), curve("Γ2", 6, "line", curves.gamma2)],
      { logarithmic: true },
    ),
    chart("cluster", "Cluster", "Micro-batches in a step (κ) and the workers that computed them.", [
      curve("κ", 4, "steps", curves.microBatches),
      curve("workers", 1, "steps", curves.workers),
    ]),
    chart(
      "time",
      "Time by phase",
      "Milliseconds per step: pull, wait, compute and push follow one another, the others are parts of these.",
      curves.phases.map(({ name, points }, i) => curve(name, 1 + (i % COLOURS), "line", points)),
      { unit: "ms" },
    ),
    chart(
      "noise",
      "Gradient noise scale",
      "Below it a larger batch still pays; beside it the batch in use, in samples.",
      [curve("noise scale", 5, "line", curves.noiseScale), curve("batch", 4, "steps", curves.batchSize)],
      { logarithmic: true },
    ),
  ].filter(({ id, curves }) =>
    id === "noise" ? curves.some(({ label }) => label === "noise scale") : curves.length > 0,
  );
}

/** Colours that the style sheet has for curves. */
const COLOURS = 8;

function curve(label: string, colour: number, look: CurveData["look"], { x, y }: Points): CurveData {
  return { label, colour, look, x, y };
}

/** Whether a linear axis would squeeze most of a curve onto its floor. */
export function spansDecades({ y }: Points): boolean {
  let [min, max] = [Number.POSITIVE_INFINITY, 0];
  for (const value of y) [min, max] = [Math.min(min, value), Math.max(max, value)];
  return min > 0 && max / min > 20;
}
