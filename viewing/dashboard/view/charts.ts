import { count, measure, percent } from "../../../shared/format.js";
import { smooth } from "../../report/downsample.js";
import { type History, PHASE_AT, type Point } from "./history.js";

/** What the dashboard draws of a history: chart by chart, the curves over the samples seen. Pure. */
export interface ChartDefinition {
  /** Of the element it is drawn into. */
  readonly id: string;
  readonly title: string;
  /** For somebody who has not read the documentation. */
  readonly note: string;
  readonly unit: "" | "%" | "ms";
  /** All values are positive. */
  readonly canBeLogarithmic: boolean;
  curves(history: History, microBatchSize: number): readonly Curve[];
}

export interface Curve {
  readonly label: string;
  /** Number of a colour of the style sheet, from 1. */
  readonly colour: number;
  /** A line; steps; a line with its points; what lies between a low curve and the high one after it. */
  readonly look: "line" | "steps" | "dots" | "low" | "high";
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** The smoothed loss looks back and ahead over this share of the run. */
const SMOOTHED_SHARE = 1 / 100;
/** The loss among the figures is the mean of about so many steps. */
const LOSS_STEPS = 50;
/** A curve whose values lie further apart gets a logarithmic axis. */
const DECADES_MIN = 20;
/** Colours that the style sheet has for curves. */
const COLOURS = 8;

export const CHARTS: readonly ChartDefinition[] = [
  {
    ...{ id: "loss", title: "Loss", unit: "", canBeLogarithmic: true },
    note: "Of the training samples, its range and smoothed, and of the whole test set.",
    curves({ points, evaluations }) {
      const finite = points.filter((point) => point[4] !== null);
      const x = finite.map((point) => point[1]);
      const means = { x, y: finite.map((point) => point[4] as number) };
      return [
        { label: "lowest", colour: 1, look: "low", x, y: finite.map((point) => point[2]) },
        { label: "highest", colour: 1, look: "high", x, y: finite.map((point) => point[3]) },
        { label: "train", colour: 1, look: "line", x, y: smooth(means, x.length * SMOOTHED_SHARE).y },
        ofEvaluations("test", evaluations, (loss) => loss),
      ];
    },
  },
  {
    ...{ id: "accuracy", title: "Test accuracy", unit: "%", canBeLogarithmic: false },
    note: "Share of the test samples classified right.",
    curves: ({ evaluations }) => [
      ofEvaluations("accuracy", evaluations, (_, accuracy) => (accuracy === null ? null : 100 * accuracy)),
    ],
  },
  {
    ...{ id: "learning-rate", title: "Learning rate", unit: "", canBeLogarithmic: true },
    note: "Of each step, as the rule makes it from the one for one micro-batch.",
    curves: ({ points }) => [ofPoints("learning rate", 3, "line", points, (point) => point[5])],
  },
  {
    ...{ id: "cluster", title: "Cluster", unit: "", canBeLogarithmic: true },
    note: "Micro-batches in a step (κ), and the workers that computed them.",
    curves: ({ points }) => [
      ofPoints("κ", 4, "steps", points, (point) => point[6]),
      ofPoints("workers", 1, "steps", points, (point) => point[7]),
    ],
  },
  {
    ...{ id: "noise", title: "Gradient noise scale", unit: "", canBeLogarithmic: true },
    note: "In samples: below it a larger batch still pays. Beside it the batch in use.",
    curves: ({ points }, microBatchSize) => [
      ofPoints("noise scale", 5, "line", points, (point) => (point[8] !== null && point[8] > 0 ? point[8] : null)),
      ofPoints("batch", 4, "steps", points, (point) => point[6] * microBatchSize),
    ],
  },
  {
    ...{ id: "time", title: "Time by phase", unit: "ms", canBeLogarithmic: true },
    note: "Of a step: pull, wait, compute and push follow one another, the others are parts of these.",
    curves: ({ points, phases }) =>
      phases.map((phase, i) => {
        const { x, y } = ofPoints(phase, 0, "line", points, (point) => point[PHASE_AT + i] as number);
        const means = smooth({ x, y: y as number[] }, x.length * SMOOTHED_SHARE);
        return { label: phase, colour: 1 + (i % COLOURS), look: "line", ...means };
      }),
  },
];

function ofPoints(
  label: string,
  colour: number,
  look: Curve["look"],
  points: readonly Point[],
  value: (point: Point) => number | null,
): Curve {
  return { label, colour, look, x: points.map((point) => point[1]), y: points.map(value) };
}

function ofEvaluations(
  label: string,
  evaluations: History["evaluations"],
  value: (loss: number | null, accuracy: number | null) => number | null,
): Curve {
  const known = evaluations.filter(([, , loss, accuracy]) => value(loss, accuracy) !== null);
  const x = known.map(([, samples]) => samples);
  return { label, colour: 2, look: "dots", x, y: known.map(([, , loss, accuracy]) => value(loss, accuracy)) };
}

/** The training loss of the last steps on average; null while there is none. */
export function recentLoss({ points }: History): number | null {
  let [sum, steps] = [0, 0];
  for (let i = points.length - 1; i >= 0 && steps < LOSS_STEPS; i--) {
    const [, , , , mean, , , , , ofPoint] = points[i];
    if (mean !== null) [sum, steps] = [sum + mean * ofPoint, steps + ofPoint];
  }
  return steps === 0 ? null : sum / steps;
}

/** Whether a linear axis would squeeze most of a curve onto its floor. */
export function spansDecades(values: readonly number[]): boolean {
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return low > 0 && high / low > DECADES_MIN;
}

/** A value of a chart, with its unit. */
export function valueText(value: number | null | undefined, unit: ChartDefinition["unit"]): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (unit === "%") return percent(value / 100);
  const text = Number.isInteger(value) && value < 1e6 ? count(value) : measure(value);
  return unit === "" ? text : `${text} ${unit}`;
}

/** What a chart shows, for those who can't see it: each curve's newest value. */
export function spoken(title: string, curves: readonly Curve[], unit: ChartDefinition["unit"]): string {
  const known = curves.filter(({ look, y }) => look !== "low" && look !== "high" && y.length > 0);
  if (known.length === 0) return `${title}: no data yet`;
  const values = known.map(
    ({ label, y }) =>
      `${label} ${valueText(
        y.findLast((value) => value !== null),
        unit,
      )}`,
  );
  return `${title}, newest values: ${values.join(", ")}`;
}
