// Original file: proto/isobatch/v1/isobatch.proto


export interface ShardFailed {
  'diverged'?: (boolean);
  'reason'?: (string);
}

export interface ShardFailed__Output {
  'diverged': (boolean);
  'reason': (string);
}
