// Original file: proto/isobatch/v1/isobatch.proto


export interface Transport {
  'name'?: (string);
}

export interface Transport__Output {
  'name': (string);
}
