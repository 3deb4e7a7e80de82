/**
 * Checks that a program computes what the operations compute, except for the order in which float32 numbers are added.
 * How much that order changes depends on the model: where a relu's input, or the difference of the two largest numbers
 * of a pool, is within rounding of 0, or a product's factor within rounding of the middle between two numbers of fewer
 * bits, two computations may take different sides. So the operations' gradient is computed twice: with the weights, and
 * with each weight changed in its last bits. That changes the gradient about as much as another order of additions
 * does. Measured, as parts of a tensor's norm: 0.37 % and 0.74 % in a ResNet-18 (with oneDNN, and without), 22 % and 25
 * % in bfloat16; 0.0002 % and 0.0001 % in a GPT, 0.06 % and 0.05 % in tf32.
 *
 * A wrong program is further off: a frozen mask of dropout 0.1 by 47 % of the norm of what it masks, a border of 1
 * pixel in 32 × 32 by 35 %, a factor of 1.1 by 10 %. Tensors are compared by the norm of the difference, because single
 * elements prove little. A tensor that is zero except for rounding, e.g. the gradient of a bias before a normalisation,
 * is only noise; so part of the norm of all tensors of its kind is added to its own.
 */
import type { LayoutTensor } from "../../shared/layout/index.js";
import type { GradientResult } from "./model-program.js";

/** The fraction of a tensor's norm that the difference may always reach, and the most that it may ever reach. */
const ALLOWED_MIN = 1e-3;
const ALLOWED_MAX = 0.5;
/** The multiple of the change caused by nudged weights that is allowed: other algorithms round more often. */
const TIMES = 10;
/** The same for the loss, which is continuous, and so changes little in any model. */
const ALLOWED_OF_LOSS = 0.01;
/** The fraction of the norm of all parameters' gradients, or of all statistics, that is added to each one's own. */
const SHARE_OF_ALL = 1e-3;
/** Added to the loss, which may be nearly zero. */
const LEAST_LOSS = 1e-3;
/** The relative change of each weight: four to eight times the distance to the next float32 number. */
const NUDGE = 2 ** -21;

/** The results for one micro-batch. */
export interface Computed {
  readonly program: GradientResult;
  readonly operations: GradientResult;
  /** What the operations compute with `nudged` weights. */
  readonly nudged: GradientResult;
}

/** @param tensors the tensors of each result. @returns what differs too much, as the end of a sentence */
export function differenceOf(
  { program, operations, nudged }: Computed,
  tensors: readonly LayoutTensor[],
): string | undefined {
  const loss = Math.abs(program.loss - operations.loss) / (Math.abs(operations.loss) + LEAST_LOSS);
  if (!(loss <= ALLOWED_OF_LOSS)) return `the loss is ${program.loss}, but ${operations.loss} by the operations`;
  const natural = Math.max(...differencesOf(nudged, operations, tensors));
  const allowed = Math.min(Math.max(TIMES * natural, ALLOWED_MIN), ALLOWED_MAX);
  const apart = differencesOf(program, operations, tensors);
  const worst = apart.reduce((most, difference, i) => (difference <= apart[most] ? most : i), 0);
  if (apart[worst] <= allowed) return undefined;
  const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
  return `${tensors[worst].name} by ${percent(apart[worst])} of its norm, of which ${percent(allowed)} are allowed`;
}

/** Weights with their last bits changed, randomly up or down. */
export function nudged(weights: readonly Float32Array[]): Float32Array[] {
  let state = 1;
  return weights.map((values) =>
    values.map((value) => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0; // Numerical Recipes' generator; only the sign is used.
      return value * (1 + (state < 0 ? -NUDGE : NUDGE));
    }),
  );
}

/** The difference of each tensor as a fraction of its norm; 0 if all numbers are equal. */
export function differencesOf(
  found: GradientResult,
  expected: GradientResult,
  tensors: readonly LayoutTensor[],
): number[] {
  const norms = expected.tensors.map(normOf);
  return tensors.map(({ kind }, i) => {
    const all = Math.hypot(...norms.filter((_, j) => tensors[j].kind === kind));
    const difference = normOf(found.tensors[i].map((value, j) => value - expected.tensors[i][j]));
    if (difference === 0) return 0;
    return Number.isFinite(difference) ? difference / (norms[i] + SHARE_OF_ALL * all) : Number.POSITIVE_INFINITY;
  });
}

/** In float64: the squares of large float32 numbers overflow float32. */
function normOf(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}

export const allFinite = ({ loss, tensors }: GradientResult): boolean =>
  [[loss], ...tensors].every((values) => values.every(Number.isFinite));
