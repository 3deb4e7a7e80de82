/**
 * Whether a program's numbers are the operations', but for the order in which float32 numbers are added and what follows from
 * that.
 *
 * Each tensor is compared by the norm of the difference, since single elements prove little: where a relu's input or the two
 * largest of a pool are within rounding of a kink, either way may take the other side, and the whole of what is passed on there
 * is added or missing. Errors of 1e-6 to 1e-5 in an activation flip about as large a share p of a layer's elements, and
 * change what is passed back by √p of its norm; over L layers that is √(L p), 0.3 % to 3 % of deep networks. (ResNet-18
 * with and without oneDNN: 0.34 %; models without kinks 1e-6.) A program that is wrong is much further off: a frozen mask of
 * dropout 0.1 by 47 %, a border of 1 pixel in 32 × 32 by 35 %, a factor of 1.1 by 10 %.
 *
 * A gradient that is zero but for rounding, e.g. of a bias before a normalisation, may be any noise; so part of the norm of all
 * tensors of its kind is allowed too.
 */
import type { LayoutTensor } from "../../shared/layout/index.js";
import type { GradientResult } from "./model-program.js";

/** Of a tensor's norm. */
const ALLOWED = 0.05;
/** The loss is continuous. */
const ALLOWED_OF_LOSS = 0.01;
/** How much of the norm of all parameters' gradients, or of all statistics, counts as each one's own. */
const SHARE_OF_ALL = 1e-3;
/** Of the loss the same, which may be nearly zero. */
const LEAST_LOSS = 1e-3;

/** @param tensors what `program` and `operations` are the numbers of. @returns as a sentence's end, what differs too much */
export function differenceOf(
  program: GradientResult,
  operations: GradientResult,
  tensors: readonly LayoutTensor[],
): string | undefined {
  const loss = Math.abs(program.loss - operations.loss) / (Math.abs(operations.loss) + LEAST_LOSS);
  if (!(loss <= ALLOWED_OF_LOSS)) return `the loss is ${program.loss}, and by the operations ${operations.loss}`;
  const apart = differencesOf(program, operations, tensors);
  const worst = apart.reduce((most, difference, i) => (difference <= apart[most] ? most : i), 0);
  if (apart[worst] <= ALLOWED) return undefined;
  const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
  return `${tensors[worst].name} by ${percent(apart[worst])} of its norm, of which ${percent(ALLOWED)} are allowed`;
}

/** Of each tensor, as a part of its norm; 0 where all numbers are equal. */
export function differencesOf(
  program: GradientResult,
  operations: GradientResult,
  tensors: readonly LayoutTensor[],
): number[] {
  const norms = operations.tensors.map(normOf);
  return tensors.map(({ kind }, i) => {
    const all = Math.hypot(...norms.filter((_, j) => tensors[j].kind === kind));
    const difference = normOf(program.tensors[i].map((value, j) => value - operations.tensors[i][j]));
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
