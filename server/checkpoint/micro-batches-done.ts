import type { ElementRange } from "../../shared/layout/index.js";
import { filesOf, listSteps } from "./files.js";
import { readLabelOf } from "./load.js";

/**
 * The number of micro-batches that a run's newest checkpoint has consumed, from its header only; 0 if there is none.
 * Whether the file is sound is checked when it is loaded.
 * @param range the elements of the whole flat vector.
 */
export function microBatchesDone(folder: string, range: ElementRange): number {
  for (const step of listSteps(folder, range).reverse()) {
    for (const { path } of filesOf(folder, step)) {
      const label = readLabelOf(path);
      if (label !== undefined) return label.microBatches;
    }
  }
  return 0;
}
