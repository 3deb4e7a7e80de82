import type { ServerWritableStream } from "@grpc/grpc-js";
import { checkMember } from "../../../shared/credentials/index.js";
import { IsobatchError } from "../../../shared/errors.js";
import {
  callerOf,
  checksumFor,
  createWriter,
  type FetchSamplesRequest,
  isEncrypted,
  type SampleBatchMessage,
} from "../../../shared/wire/index.js";
import { type ServiceOptions, SILENCE_MS } from "./options.js";

const SAMPLE_BATCHES_MAX = 4_096;

/** Sends a worker the batches that it asks for, in order. */
export async function fetchSamples(
  { coordinator, directory, samples, leaseKey }: ServiceOptions,
  call: ServerWritableStream<FetchSamplesRequest, SampleBatchMessage>,
): Promise<void> {
  const { workerId, evaluation, first, count, every, times, seal } = call.request;
  const { runId } = directory.identity;
  checkMember(leaseKey, { runId, workerId, token: callerOf(call)?.name ?? "" }, seal);
  const total = count * Math.max(1, times);
  if (total > SAMPLE_BATCHES_MAX) {
    throw new IsobatchError(
      "invalid_input",
      `count is ${total}; at most ${SAMPLE_BATCHES_MAX} batches can be fetched at once.`,
    );
  }
  const batches = evaluation ? samples.evaluationBatches : samples.microBatches;
  const end = first + Math.max(0, times - 1) * every + count;
  if (end > batches) {
    const kind = evaluation ? "evaluation batch" : "micro-batch";
    throw new IsobatchError(
      "refused",
      `There is no ${kind} ${Math.max(first, batches)}; the run has ${batches}, counted from 0.`,
    );
  }
  const encrypted = isEncrypted(call);
  const writer = createWriter(call, { stallMs: SILENCE_MS, what: "The samples' stream" });
  for (let i = 0; i < total; i++) {
    const number = first + Math.floor(i / count) * every + (i % count);
    const batch = evaluation ? samples.evaluationBatch(number) : samples.microBatch(number);
    const checksum = checksumFor({ encrypted }, [batch.inputs, batch.labels]);
    await writer.write({ ...batch, checksum });
    coordinator.tally.samplesSent(batch.inputs.length + batch.labels.length);
  }
}
