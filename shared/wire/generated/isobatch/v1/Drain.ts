// Original file: proto/isobatch/v1/isobatch.proto


export interface Drain {
  'reason'?: (string);
}

export interface Drain__Output {
  'reason': (string);
}
