/** The parts of `npm run check:cuda` in the order in which they are checked. Their code is in `parts/`, a file for each. */
import type { PartName } from "./report.js";

/**
 * The time that each part may take, in seconds, where all may take their sum. What a part leaves is there for those after it, so that one
 * that is slow on some machine is not killed although there is time.
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
