/**
 * An engine that computes nothing: it takes the samples of each micro-batch, as threads would, waits if asked to, and answers with
 * sums of zeros in the worker's memory. All the rest is a real worker's: joining, leases, weights, samples, pushes.
 */
import { setTimeout } from "node:timers/promises";
import { createWorkerMemory } from "../../compute/index.js";
import { largestKappa } from "../../shared/steps/index.js";
import { canonicalNodes } from "../../shared/sums/index.js";
import { createBatches, type Engine, type Joined } from "../../worker/index.js";

export function createNullEngine(
  { task, layout, form, identity }: Joined,
  computeMs: number,
  onLease: () => void,
): Engine {
  const memory = createWorkerMemory({ layout, threads: 1, leaves: largestKappa(task.microBatchesPerStep) });
  return {
    identity,
    memory,
    data: undefined,
    batches: createBatches(task, form),
    broken: undefined,
    prepare() {},
    load: async () => {},
    async compute({ lo, hi, firstMicroBatch, microBatches }, fetchBatch) {
      for (let leaf = lo; leaf < hi; leaf++) await fetchBatch(firstMicroBatch + leaf);
      if (computeMs > 0) await setTimeout((hi - lo) * computeMs);
      const nodes = canonicalNodes(lo, hi, microBatches);
      const slots = await memory.takeSlots(nodes.length);
      onLease();
      return {
        nodes: nodes.map((node, i) => ({ ...node, slot: slots[i] })),
        losses: new Float64Array(hi - lo),
        computeMs: 0,
        samplesMs: 0,
      };
    },
    evaluate: async (first, end) => ({
      lossSums: new Float64Array(end - first),
      correct: new Float64Array(end - first),
    }),
    close: async () => {},
  };
}
