import { createSampleOrder, loadTask, prepareTask } from "../../tasks/index.js";

export interface SamplesOptions {
  readonly microBatch: number;
  readonly seed?: number;
  readonly data?: string;
}

/** Prints the numbers of a micro-batch's samples in the training set, in the order in which they are trained on. */
export async function samples(taskName: string, { microBatch, seed, data: place }: SamplesOptions): Promise<void> {
  const task = await loadTask(taskName, { seed, data: place });
  const { data } = await prepareTask(task);
  const order = createSampleOrder({ ...task, samples: data.train.samples });
  process.stdout.write(`${order.samplesOf(microBatch).join("\n")}\n`);
}
