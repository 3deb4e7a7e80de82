// Original file: proto/isobatch/v1/isobatch.proto


export interface Attach {
  'workerId'?: (string);
}

export interface Attach__Output {
  'workerId': (string);
}
