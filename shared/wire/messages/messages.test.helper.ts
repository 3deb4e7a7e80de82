import type {
  FetchSamplesRequest,
  PushResult,
  SampleBatchMessage,
  Status,
  SumsChunk,
  WatchWeightsRequest,
  WeightsChunk,
} from "./index.js";

/** Whole messages, for tests that look at only some of their fields. */

const NO_BYTES = Buffer.alloc(0);

export const WATCH: WatchWeightsRequest = { workerId: "", term: 0, seal: NO_BYTES };
export const TAKEN: PushResult = { accepted: 0, dropped: 0 };
export const FETCH: FetchSamplesRequest = {
  workerId: "",
  evaluation: false,
  first: 0,
  count: 1,
  seal: NO_BYTES,
  every: 0,
  times: 0,
};

export function sumsChunk(fields: Partial<SumsChunk>): SumsChunk {
  return { lo: 0, hi: 0, chunk: 0, sums: NO_BYTES, checksum: NO_BYTES, ...fields };
}

export function weightsChunk(fields: Partial<WeightsChunk>): WeightsChunk {
  return { term: 0, version: 0, chunk: 0, weights: NO_BYTES, checksum: NO_BYTES, ...fields };
}

export function sampleBatch(fields: Partial<SampleBatchMessage>): SampleBatchMessage {
  return { number: 0, samples: 0, inputs: NO_BYTES, labels: NO_BYTES, checksum: NO_BYTES, ...fields };
}

export function statusMessage(fields: Partial<Status> = {}): Status {
  return {
    runId: "",
    task: "",
    phase: "",
    term: 0,
    step: 0,
    steps: 0,
    samples: 0,
    samplesTotal: 0,
    loss: 0,
    samplesPerSecond: 0,
    microBatchesPerStep: 0,
    workers: [],
    shards: [],
    checkpointStep: 0,
    evaluationStep: -1,
    evaluationLoss: 0,
    evaluationAccuracy: 0,
    secondsLeft: 0,
    version: "",
    evaluated: false,
    microBatchSize: 0,
    noiseScale: 0,
    workersAdvised: 0,
    advice: "",
    learningRate: 0,
    gamma1: 0,
    gamma2: 0,
    kappaRule: "",
    failure: "",
    workerFailure: "",
    modelKind: "",
    modelLayers: 0,
    parameters: 0,
    trainedParameters: 0,
    trainingSamples: 0,
    testSamples: 0,
    ...fields,
  };
}
