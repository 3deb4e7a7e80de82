import type { SampleBatchMessage } from "../../shared/wire/index.js";
import { createSampleOrder, microBatchesOf, type Task, type TaskData } from "../../tasks/index.js";

/** The raw bytes of micro-batches and of evaluation batches, as FetchSamples sends them. */
export interface SampleReader {
  /** The sample numbers of micro-batch n. */
  numbersOf(microBatch: number): Uint32Array;
  /** The number of micro-batches in the whole run. */
  readonly microBatches: number;
  /** 0 if the data set has no test part. */
  readonly evaluationBatches: number;
  microBatch(number: number): UnsentBatch;
  evaluationBatch(number: number): UnsentBatch;
}

/** A batch without the checksum, which depends on the connection. */
export type UnsentBatch = Omit<SampleBatchMessage, "checksum">;

export function createSamples(task: Task, data: TaskData): SampleReader {
  const { train, test } = data;
  const order = createSampleOrder({ ...task, samples: train.samples });
  const testSamples = test?.samples ?? 0;
  const size = task.evaluationBatchSize;
  const evaluationBatches = Math.ceil(testSamples / size);

  function batch(number: number, indices: Uint32Array, read: typeof train.read): UnsentBatch {
    const { inputs, labels } = read(indices);
    return { number, samples: indices.length, inputs: bufferOf(inputs), labels: bufferOf(labels) };
  }

  return {
    numbersOf: order.samplesOf,
    microBatches: microBatchesOf(task),
    evaluationBatches,
    microBatch: (number) => batch(number, order.samplesOf(number), train.read),
    evaluationBatch(number) {
      if (test === undefined || number >= evaluationBatches) throw new RangeError(`evaluation batch ${number}`);
      const first = number * size;
      const count = Math.min(size, testSamples - first);
      return batch(
        number,
        Uint32Array.from({ length: count }, (_, i) => first + i),
        test.read,
      );
    },
  };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
