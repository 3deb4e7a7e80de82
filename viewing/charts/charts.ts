import { type EvaluationRow, type History, PHASE_AT, type Point } from "./history.js";
import { smooth } from "./smooth.js";

/** What is drawn of a run: chart by chart, the curves over the samples seen. Pure; for the dashboard and reports. */
export interface ChartDefinition {
  /** The id of the element it is drawn into. */
  readonly id: string;
  readonly title: string;
  /** What it shows, for a person who has not read the documentation. */
  readonly note: string;
  readonly unit: Unit;
  /** How the y axis starts; "fitting": logarithmic if a linear one would hide most of a curve. */
  readonly axis: "linear" | "logarithmic" | "fitting";
  /** Whether a person can switch the axis. Only for positive values. */
  readonly hasAxisButton: boolean;
  /** Folded away until a person asks for it. */
  readonly isDetail: boolean;
  curves(history: History, sizes: ChartSizes): readonly Curve[];
}

export type Unit = "" | "%" | "ms";

export interface ChartSizes {
  /** b. */
  readonly microBatchSize: number;
  /** The samples of the whole run. */
  readonly samplesTotal: number;
}

export interface Curve {
  readonly label: string;
  /** The number of a colour of the style sheet, from 1. */
  readonly colour: number;
  /** A line; steps; a line with its points; the edges of a band, the low one first. */
  readonly look: "line" | "steps" | "dots" | "low" | "high";
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** Colours that the style sheet has for curves. */
export const COLOURS = 8;
/** The smoothed loss looks back and ahead over this share of the run. */
const SMOOTHED_SHARE = 1 / 100;
/** The same for times, which vary more from step to step. */
const TIMES_SMOOTHED_SHARE = 1 / 30;
/** The loss among the figures is the mean of about this many steps. */
const LOSS_STEPS = 50;
/** A curve whose values are further apart than this factor gets a logarithmic axis. */
const FACTOR_MIN = 20;
/** The phases that follow one another within a step; the others are parts of these. */
const PHASES_IN_ORDER = ["pull", "wait", "compute", "push"];

export const CHARTS: readonly ChartDefinition[] = [
  {
    ...defined(
      "loss",
      "Loss",
      "How wrong the model is: on the training samples of each step (pale), smoothed, and on the test samples.",
    ),
    axis: "fitting",
    hasAxisButton: true,
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
    ...defined("accuracy", "Test accuracy", "Test samples that are classified correctly, once training has started."),
    unit: "%",
    curves: ({ evaluations }) => [
      ofEvaluations("test", evaluations, (_, accuracy) => (accuracy === null ? null : 100 * accuracy)),
    ],
  },
  {
    ...defined("learning-rate", "Learning rate", "The step size that the schedule and the batch size give."),
    curves: ({ points }, { samplesTotal }) => [
      ofPoints("learning rate", 3, "line", wholeSteps(points, samplesTotal), (point) => point[5]),
    ],
  },
  {
    ...defined(
      "noise",
      "Gradient noise scale",
      "How far the gradients of single samples disagree, in samples. While the batch is smaller, a larger one still pays.",
    ),
    axis: "logarithmic",
    curves: ({ points }, { microBatchSize, samplesTotal }) => [
      ofPoints("noise scale", 5, "line", points, (point) => (point[8] !== null && point[8] > 0 ? point[8] : null)),
      ofPoints("batch in use", 4, "steps", wholeSteps(points, samplesTotal), (point) => point[6] * microBatchSize),
    ],
  },
  {
    ...defined(
      "cluster",
      "Cluster",
      "Workers that took part in each step, and the micro-batches (κ) that they shared.",
    ),
    isDetail: true,
    curves: ({ points }, { samplesTotal }) => [
      ofPoints("micro-batches", 4, "steps", wholeSteps(points, samplesTotal), (point) => point[6]),
      ofPoints("workers", 1, "steps", wholeSteps(points, samplesTotal), (point) => point[7]),
    ],
  },
  {
    ...defined(
      "time",
      "Time of a step",
      "What a step waits for, on average: fetching weights, waiting, computing, sending gradients.",
    ),
    unit: "ms",
    isDetail: true,
    curves: ({ points, phases }) =>
      phases.flatMap((phase, i) => {
        const colour = 1 + PHASES_IN_ORDER.indexOf(phase);
        if (colour === 0) return [];
        const { x, y } = ofPoints(phase, colour, "line", points, (point) => point[PHASE_AT + i] as number);
        return [
          { label: phase, colour, look: "line", ...smooth({ x, y: y as number[] }, x.length * TIMES_SMOOTHED_SHARE) },
        ];
      }),
  },
  {
    ...defined(
      "gammas",
      "Averaging rates",
      "How much of each step's gradient (Γ1) and of its square (Γ2) the optimizer's running averages take in.",
    ),
    axis: "logarithmic",
    isDetail: true,
    curves: ({ points }, { samplesTotal }) => [
      ofPoints("Γ1", 5, "line", wholeSteps(points, samplesTotal), (point) => point[10]),
      ofPoints("Γ2", 6, "line", wholeSteps(points, samplesTotal), (point) => point[11]),
    ],
  },
];

/** A chart with a linear axis, among the first. */
function defined(id: string, title: string, note: string) {
  return { id, title, note, unit: "", axis: "linear", hasAxisButton: false, isDetail: false } as const;
}

/** Whether a chart of these curves starts with a logarithmic axis. */
export function startsLogarithmic({ axis }: Pick<ChartDefinition, "axis">, curves: readonly Curve[]): boolean {
  if (axis !== "fitting") return axis === "logarithmic";
  return curves.some(({ look, y }) => look === "line" && spansDecades(y.filter((value) => value !== null)));
}

/** Whether a linear axis would squeeze most of a curve onto its floor. */
export function spansDecades(values: readonly number[]): boolean {
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return low > 0 && high / low > FACTOR_MIN;
}

/**
 * Without the run's last step where that has fewer micro-batches than the one before, because the samples end: what
 * follows the size of a step would seem to collapse there.
 */
function wholeSteps(points: readonly Point[], samplesTotal: number): readonly Point[] {
  const [before, last] = points.slice(-2);
  const isPartial = last !== undefined && last[1] >= samplesTotal && last[6] < before[6];
  return isPartial ? points.slice(0, -1) : points;
}

function ofPoints(
  label: string,
  colour: number,
  look: Curve["look"],
  points: readonly Point[],
  value: (point: Point) => number | null,
): Curve {
  return { label, colour, look, x: points.map((point) => point[1]), y: points.map(value) };
}

/** The untrained model's evaluation by itself would decide the axis, so it is left out as soon as there is another one. */
function ofEvaluations(
  label: string,
  evaluations: readonly EvaluationRow[],
  value: (loss: number | null, accuracy: number | null) => number | null,
): Curve {
  const trained = evaluations.filter(([, samples]) => samples > 0);
  const known = (trained.length > 0 ? trained : evaluations).filter(([, , loss, share]) => value(loss, share) !== null);
  const x = known.map(([, samples]) => samples);
  return { label, colour: 2, look: "dots", x, y: known.map(([, , loss, accuracy]) => value(loss, accuracy)) };
}

/** The training loss of the last steps on average; null while there is none. */
export function recentLoss({ points }: Pick<History, "points">): number | null {
  let [sum, steps] = [0, 0];
  for (let i = points.length - 1; i >= 0 && steps < LOSS_STEPS; i--) {
    const [, , , , mean, , , , , ofPoint] = points[i];
    if (mean !== null) [sum, steps] = [sum + mean * ofPoint, steps + ofPoint];
  }
  return steps === 0 ? null : sum / steps;
}
