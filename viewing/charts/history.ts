/**
 * A run's curves as they grow, in bounded memory: at most `POINTS_MAX` points however long the run. A point is one step
 * at first; when there are too many, neighbours become one point of twice as many steps, with the range and the mean of
 * their losses, so that neither peaks nor averages are lost. Server and browser keep the same history, from the same
 * rows: the browser gets it once as a snapshot and then a row for each step. Pure, and without anything of Node's.
 */
export interface History {
  /** Steps folded into each complete point. */
  readonly stepsPerPoint: number;
  readonly points: readonly Point[];
  readonly evaluations: readonly EvaluationRow[];
  /** Names of the phases that rows have the times of. */
  readonly phases: readonly string[];
}

/** A committed step, as it travels. Null where there is no finite value. */
export type StepRow = readonly [
  step: number,
  /** Seen after the step. */
  samples: number,
  loss: number | null,
  learningRate: number,
  /** κ. */
  microBatches: number,
  workers: number,
  /** In samples. */
  noiseScale: number | null,
  gamma1: number,
  gamma2: number,
  /** In the order of the history's phases. */
  ...phaseMs: number[],
];

export type EvaluationRow = readonly [step: number, samples: number, loss: number | null, accuracy: number | null];

/** One or several neighbouring steps. Losses are null while none was finite; the rest are the last step's. */
export type Point = [
  step: number,
  samples: number,
  lossLow: number | null,
  lossHigh: number | null,
  lossMean: number | null,
  learningRate: number,
  microBatches: number,
  workers: number,
  noiseScale: number | null,
  steps: number,
  gamma1: number,
  gamma2: number,
  /** Means over the steps. */
  ...phaseMs: number[],
];

export const PHASE_AT = 12;
const ROW_PHASE_AT = 9;

/** More points are halved. An even number. */
export const POINTS_MAX = 2_048;
export const EVALUATIONS_MAX = 2_048;

export interface MutableHistory extends History {
  stepsPerPoint: number;
  points: Point[];
  evaluations: EvaluationRow[];
  phases: string[];
}

export function createHistory(phases: readonly string[] = []): MutableHistory {
  return { stepsPerPoint: 1, points: [], evaluations: [], phases: [...phases] };
}

/** Adds a step, which comes after all that the history has. */
export function addStep(history: MutableHistory, row: StepRow): void {
  const { points } = history;
  const last = points.at(-1);
  const point = pointOf(row);
  if (last !== undefined && last[9] < history.stepsPerPoint) {
    points[points.length - 1] = joined(last, point);
    return;
  }
  points.push(point);
  if (points.length <= POINTS_MAX) return;
  const halved: Point[] = [];
  for (let i = 0; i < points.length; i += 2) {
    halved.push(i + 1 < points.length ? joined(points[i], points[i + 1]) : points[i]);
  }
  history.points = halved;
  history.stepsPerPoint *= 2;
}

/** Adds an evaluation; of more than `EVALUATIONS_MAX` every other one goes, never the newest. */
export function addEvaluation(history: MutableHistory, row: EvaluationRow): void {
  history.evaluations.push(row);
  const { evaluations } = history;
  if (evaluations.length <= EVALUATIONS_MAX) return;
  history.evaluations = evaluations.filter((_, i) => (evaluations.length - 1 - i) % 2 === 0);
}

/**
 * Takes the history back to the weights of version `step`: what was computed from there on is void. A point that holds
 * steps of both sides goes too, which at most leaves a gap of one point.
 */
export function cutBack(history: MutableHistory, step: number): void {
  const { points, evaluations } = history;
  while (points.length > 0 && points[points.length - 1][0] >= step) points.pop();
  while (evaluations.length > 0 && evaluations[evaluations.length - 1][0] >= step) evaluations.pop();
}

function pointOf(row: StepRow): Point {
  const [step, samples, loss, learningRate, microBatches, workers, noiseScale, gamma1, gamma2] = row;
  const phaseMs = row.slice(ROW_PHASE_AT) as number[];
  const losses = [loss, loss, loss] as const;
  return [step, samples, ...losses, learningRate, microBatches, workers, noiseScale, 1, gamma1, gamma2, ...phaseMs];
}

/** Two neighbours as one. */
function joined(a: Point, b: Point): Point {
  const steps = a[9] + b[9];
  const mean = (one: number | null, other: number | null): number | null => {
    if (one === null || other === null) return one ?? other;
    return (one * a[9] + other * b[9]) / steps;
  };
  const extreme = (pick: (...values: number[]) => number, one: number | null, other: number | null): number | null =>
    one === null || other === null ? (one ?? other) : pick(one, other);
  const [step, samples, , , , learningRate, microBatches, workers, noiseScale, , gamma1, gamma2] = b;
  return [
    ...([step, samples, extreme(Math.min, a[2], b[2]), extreme(Math.max, a[3], b[3]), mean(a[4], b[4])] as const),
    ...([learningRate, microBatches, workers, noiseScale ?? a[8], steps, gamma1, gamma2] as const),
    ...(b.slice(PHASE_AT) as number[]).map((ms, i) => mean(a[PHASE_AT + i] as number, ms) ?? 0),
  ];
}
