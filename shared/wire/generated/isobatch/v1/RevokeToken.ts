// Original file: proto/isobatch/v1/isobatch.proto


export interface RevokeToken {
  'name'?: (string);
}

export interface RevokeToken__Output {
  'name': (string);
}
