// Original file: proto/isobatch/v1/isobatch.proto


export interface RunEnded {
  'ok'?: (boolean);
  'reason'?: (string);
}

export interface RunEnded__Output {
  'ok': (boolean);
  'reason': (string);
}
