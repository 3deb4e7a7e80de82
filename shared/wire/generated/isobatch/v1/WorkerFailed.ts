// Original file: proto/isobatch/v1/isobatch.proto


export interface WorkerFailed {
  'reason'?: (string);
  'transient'?: (boolean);
}

export interface WorkerFailed__Output {
  'reason': (string);
  'transient': (boolean);
}
