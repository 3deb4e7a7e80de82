/** The parts of `npm run check:cuda` in the order in which they are checked. Their code is in `parts/`, a file for each. */
import type { PartName } from "./report.js";

/**
 * The time that each part may take, in seconds, of 360 in all. What a part leaves is there for those after it, so that one that is slow
 * on some machine is not killed although there is time.
 */
export const PART_SECONDS: Readonly<Record<PartName, number>> = {
  kernels: 30,
  kinks: 10,
  training: 30,
  partitions: 15,
  compiled: 35,
  folding: 10,
  masks: 10,
  gradients: 45,
  precision: 30,
  torch: 45,
  cluster: 110,
};

export const PART_NAMES = Object.keys(PART_SECONDS) as readonly PartName[];
