/**
 * Whether two tasks that differ only in their optimizer are the same arithmetic. With one micro-batch per step all
 * rules should be, and then one run stands for all of them; but "should" is not enough here, so the constants of every
 * step are compared as the kernels get them: rounded to float32.
 */
import { createHash } from "node:crypto";
import { leafCoefficients, stepCoefficients } from "../../shared/optimizer/index.js";
import { microBatchesOf, type Task } from "../../tasks/index.js";

/**
 * A digest of all that the optimizer does over a run of one micro-batch per step: tasks with the same digest, samples,
 * model and seed leave the same bits.
 *
 * v is made from S1² or from S2, which are the same number when there is one leaf. A leaf's coefficient multiplies its
 * gradient before the constant does; where one of the two factors is 1 it does not matter which.
 */
export function arithmeticAtOne(task: Task): string {
  if (task.microBatchesPerStep !== 1) throw new RangeError(`κ is ${task.microBatchesPerStep}, not 1`);
  const weights = leafCoefficients(task.optimizer, task, 1);
  const steps = microBatchesOf(task);
  const constants = new Float32Array(CONSTANTS * steps);
  let [c1, c2] = [0, 0];
  for (let n = 0; n < steps; n++) {
    const coefficients = stepCoefficients({
      optimizer: task.optimizer,
      hyperparameters: task,
      schedule: task.schedule,
      microBatchSize: task.microBatchSize,
      firstMicroBatch: n,
      microBatches: 1,
      c1,
      c2,
    });
    ({ c1, c2 } = coefficients);
    const { mKeep, mAdd, vKeep, vAdd, stepSize, vScale, epsilon, decay, squareOfSum } = coefficients;
    const w1 = weights?.w1[0] ?? 1;
    // S1² holds the square of the leaf's coefficient w1, S2 the coefficient w2.
    const w2 = squareOfSum ? w1 * w1 : (weights?.w2[0] ?? 1);
    constants.set(
      [mKeep, vKeep, stepSize, vScale, epsilon, decay, ...factors(w1, mAdd), ...factors(w2, vAdd)],
      CONSTANTS * n,
    );
  }
  return createHash("sha256").update(new Uint8Array(constants.buffer)).digest("hex");
}

/** How many constants a step has. */
const CONSTANTS = 10;

/** The two factors in order; a factor of 1 comes last, since its place does not matter. */
function factors(first: number, second: number): [number, number] {
  return Math.fround(first) === 1 ? [second, 1] : [first, second];
}
