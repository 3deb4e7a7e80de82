// Original file: proto/isobatch/v1/isobatch.proto


export interface Leaving {
  'reason'?: (string);
}

export interface Leaving__Output {
  'reason': (string);
}
