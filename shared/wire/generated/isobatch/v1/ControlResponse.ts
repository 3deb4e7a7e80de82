// Original file: proto/isobatch/v1/isobatch.proto


export interface ControlResponse {
  'message'?: (string);
}

export interface ControlResponse__Output {
  'message': (string);
}
