/** The parts of `npm run check:cuda` in the order in which they are checked. Their code is in `parts/`, a file for each. */
import type { PartName } from "./report.js";

/**
 * The seconds that each part may take if all together may take their sum. The time that one does not use is left for the next, so
 * a part that is slow on some machine is not killed while there is time.
 */
export const PART_SECONDS: Readonly<Record<PartName, number>> = {
  kernels: 25,
  kinks: 10,
  training: 25,
  partitions: 15,
  compiled: 30,
  folding: 10,
  masks: 10,
  gradients: 40,
  precision: 25,
  torch: 40,
  cluster: 100,
  variants: 30,
  memory: 25,
};

export const PART_NAMES = Object.keys(PART_SECONDS) as readonly PartName[];
