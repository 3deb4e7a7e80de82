/**
 * Whether a program's numbers are the operations', but for the order in which float32 numbers are added and what follows from
 * that, which depends on the model: where a relu's input or the two largest of a pool are within rounding of a kink, or a
 * factor of a product is within it of where it is rounded to fewer bits, either way may take the other side. So the operations'
 * gradient is computed twice: with the weights, and with each of them changed by a few of its last bits. By that the
 * gradient changes about as much as by another order of additions: by 0.37 % and 0.74 % of a tensor's norm in a ResNet-18 (with
 * oneDNN, and without), in bfloat16 by 22 % and 25 %, in a GPT by 0.0002 % and 0.0001 %, in tf32 by 0.06 % and 0.05 %.
 *
 * A program that is wrong is further off: a frozen mask of dropout 0.1 by 47 % of the norm of what it masks, a border of
 * 1 pixel in 32 × 32 by 35 %, a factor of 1.1 by 10 %. Tensors are compared by the norm of the difference, since single
 * elements prove little. One that is zero but for rounding, e.g. the gradient of a bias before a normalisation, may be any
 * noise; so part of the norm of all tensors of its kind counts as its own.
 */
import type { LayoutTensor } from "../../shared/layout/index.js";
import type { GradientResult } from "./model-program.js";

/** Of a tensor's norm: what is allowed in any case, and at most. */
const ALLOWED_MIN = 1e-3;
const ALLOWED_MAX = 0.5;
/** How much more than the change of weights another order of additions may make; other algorithms round more often. */
const TIMES = 10;
/** The loss is continuous. */
const ALLOWED_OF_LOSS = 0.01;
/** How much of the norm of all parameters' gradients, or of all statistics, counts as each one's own. */
const SHARE_OF_ALL = 1e-3;
/** Of the loss the same, which may be nearly zero. */
const LEAST_LOSS = 1e-3;
/** By how much of itself each weight is changed: four to eight times the distance to the next float32 number. */
const NUDGE = 2 ** -21;

/** The results of one micro-batch. */
export interface Computed {
  readonly program: GradientResult;
  readonly operations: GradientResult;
  /** The operations', with the weights `nudged`. */
  readonly nudged: GradientResult;
}

/** @param tensors what all three are the numbers of. @returns as a sentence's end, what differs too much */
export function differenceOf(
  { program, operations, nudged }: Computed,
  tensors: readonly LayoutTensor[],
): string | undefined {
  const loss = Math.abs(program.loss - operations.loss) / (Math.abs(operations.loss) + LEAST_LOSS);
  if (!(loss <= ALLOWED_OF_LOSS)) return `the loss is ${program.loss}, and by the operations ${operations.loss}`;
  const natural = Math.max(...differencesOf(nudged, operations, tensors));
  const allowed = Math.min(Math.max(TIMES * natural, ALLOWED_MIN), ALLOWED_MAX);
  const apart = differencesOf(program, operations, tensors);
  const worst = apart.reduce((most, difference, i) => (difference <= apart[most] ? most : i), 0);
  if (apart[worst] <= allowed) return undefined;
  const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
  return `${tensors[worst].name} by ${percent(apart[worst])} of its norm, of which ${percent(allowed)} are allowed`;
}

/** Weights changed in their last bits, up and down without a pattern. */
export function nudged(weights: readonly Float32Array[]): Float32Array[] {
  let state = 1;
  return weights.map((values) =>
    values.map((value) => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0; // Numerical Recipes' generator, of which the sign is used.
      return value * (1 + (state < 0 ? -NUDGE : NUDGE));
    }),
  );
}

/** Of each tensor, as a part of its norm; 0 where all numbers are equal. */
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
