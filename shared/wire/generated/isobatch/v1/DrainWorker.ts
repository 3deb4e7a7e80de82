// Original file: proto/isobatch/v1/isobatch.proto


export interface DrainWorker {
  'workerId'?: (string);
}

export interface DrainWorker__Output {
  'workerId': (string);
}
