/**
 * Compares leases folded on the device with the same leases folded on the host, for many κ and steps cut into leases at random. All
 * bits must be the same.
 */

import { openBackend } from "../../../backends/index.js";
import { settings } from "../../../backends/settings.test.helper.js";
import { foldProblem, gradientOf, withoutSmall } from "../../../compute/gradients/fold-cases.test.helper.js";
import { keepsSums, openFolds } from "../../../compute/gradients/program-fold.test.helper.js";
import { createRandom } from "../../../shared/random.js";
import type { CheckPart, CheckSize } from "../report.js";

export interface FoldingRow {
  /** How many κ were tried, starting with 1. */
  readonly kappas: number;
  readonly kappaMax: number;
  /** How many of them differ from the host in some bits. */
  readonly apart: number;
}

const KAPPA_MAX = 40;
/** The distance between the κ that are tried. */
const EVERY: Record<CheckSize, number> = { gpu: 1, cpu: 1, quick: 6 };

export const part: CheckPart<FoldingRow> = async (context, say) => {
  const onGpu = context.on === "gpu";
  const { compiler } = await openBackend(context.backend, settings);
  if (compiler === undefined || !keepsSums(compiler)) {
    const sentence =
      "The TensorFlow that is installed can't fold in a program; run isobatch tensorflow install --force.";
    return onGpu ? say.fail(sentence) : say.absent(sentence);
  }
  const given = await openFolds(compiler, gradientOf);
  // A GPU takes very small numbers for 0, and so does its program from the start.
  const expected = onGpu ? await openFolds(compiler, withoutSmall) : given;
  const random = createRandom(7);
  let [kappas, apart] = [0, 0];
  for (let microBatches = 1; microBatches <= KAPPA_MAX; microBatches += EVERY[context.size]) {
    const problem = await foldProblem(given, expected, microBatches, random, onGpu);
    kappas++;
    if (problem === undefined) continue;
    apart++;
    say.fail(`A program's sums are not the host's: ${problem}.`);
  }
  say.row({ kappas, kappaMax: KAPPA_MAX, apart });
};
