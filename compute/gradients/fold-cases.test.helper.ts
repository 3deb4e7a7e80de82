/** Parts of leases to be folded in both ways of `program-fold.test.helper.ts`, and what they come to. */
import type { Random } from "../../shared/random.js";
import { createRandom } from "../../shared/random.js";
import type { Interval } from "../../shared/sums/index.js";
import type { LeaseRequest } from "../protocol.js";
import type { FoldedPart, PartFold } from "./lease-fold.js";
import type { DecodedMicroBatch } from "./model-gradient.js";
import { type BothFolds, GRADIENT_LENGTH, UNUSED } from "./program-fold.test.helper.js";

export const FIRST_MICRO_BATCH = 1000;

/** A gradient with numbers of any size whose squares and sums are no infinities. */
export function gradientOf(number: number): Float32Array {
  const random = createRandom(number);
  const g = Float32Array.from({ length: GRADIENT_LENGTH }, () => {
    const size = 2 ** (random.below(40) === 0 ? -random.below(150) : random.below(40) - 30);
    return (random.below(20) === 0 ? -0 : 2 * random.next() - 1) * size;
  });
  // The smallest that a GPU's program keeps.
  g[number % GRADIENT_LENGTH] = 2 ** -50;
  return g.fill(0, UNUSED.offset, UNUSED.offset + UNUSED.length);
}

/** As a GPU's program makes them: what is below 2^-50 is 0. */
export const withoutSmall = (number: number): Float32Array =>
  gradientOf(number).map((x) => (Math.abs(x) < 2 ** -50 ? 0 : x));

/** Cuts [0, microBatches) anywhere. */
export function split(microBatches: number, random: Random): Interval[] {
  const parts: Interval[] = [];
  for (let lo = 0; lo < microBatches; ) {
    const hi = lo + 1 + random.below(Math.min(microBatches - lo, 1 + random.below(40)));
    parts.push({ lo, hi });
    lo = hi;
  }
  return parts;
}

export function coefficientsOf(microBatches: number, random: Random): LeaseRequest["coefficients"] {
  if (random.below(2) === 0) return undefined;
  const some = () => Float32Array.from({ length: microBatches }, () => random.next() ** 8 + 2 ** -26);
  return { first: 0, w1: some(), w2: some() };
}

export interface Folded extends FoldedPart {
  readonly losses: readonly number[];
}

export async function fold(part: PartFold, { lo, hi }: Interval): Promise<Folded> {
  const losses: number[] = [];
  for (let leaf = lo; leaf < hi; leaf++)
    losses.push(await part.add({ number: FIRST_MICRO_BATCH + leaf } as DecodedMicroBatch));
  return { ...(await part.end()), losses };
}

export const intervals = (nodes: readonly Interval[]): Interval[] => nodes.map(({ lo, hi }) => ({ lo, hi }));

/** Whether a GPU takes none of the numbers for 0, except those that are. */
const allNormal = (bytes: Buffer): boolean =>
  new Float32Array(new Uint8Array(bytes).buffer).every((x) => x === 0 || Math.abs(x) >= 2 ** -126);

/**
 * Folds a step's micro-batches, cut into leases anywhere, in the program of `given` and on the host of `expected`.
 * @param onGpu whether the program leaves out the numbers that a GPU takes for 0.
 * @returns where the two differ; undefined: nowhere.
 */
export async function foldProblem(
  given: BothFolds,
  expected: BothFolds,
  microBatches: number,
  random: Random,
  onGpu: boolean,
): Promise<string | undefined> {
  const coefficients = coefficientsOf(microBatches, random);
  for (const whole of split(microBatches, random)) {
    const apart = whole.hi - whole.lo <= 3 && random.below(3) === 0;
    const request = { ...whole, whole, microBatches, firstMicroBatch: FIRST_MICRO_BATCH, apart, coefficients };
    const host = await fold(expected.host(request), whole);
    const program = await fold(given.program(request), whole);
    const where = `[${whole.lo}, ${whole.hi}) of ${microBatches}${apart ? ", apart" : ""}`;
    if (String(program.losses) !== String(host.losses)) return `${where}: other losses`;
    const nodes = JSON.stringify(intervals(program.nodes));
    if (nodes !== JSON.stringify(intervals(host.nodes))) return `${where}: other nodes, ${nodes}`;
    for (const [i, node] of program.nodes.entries()) {
      const bytes = given.bytesOf(node);
      if (onGpu && !allNormal(bytes)) return `${where}: a number that a GPU takes for 0`;
      if (!bytes.equals(expected.bytesOf(host.nodes[i]))) return `${where}: other bits in [${node.lo}, ${node.hi})`;
    }
  }
  return undefined;
}
