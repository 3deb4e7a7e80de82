// Original file: proto/isobatch/v1/isobatch.proto


export interface ShardStop {
  'reason'?: (string);
}

export interface ShardStop__Output {
  'reason': (string);
}
