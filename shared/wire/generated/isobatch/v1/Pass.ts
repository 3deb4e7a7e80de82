// Original file: proto/isobatch/v1/isobatch.proto


export interface Pass {
  'name'?: (string);
  'role'?: (string);
  'hash'?: (string);
  'expiresMs'?: (number | string);
  'revokedMs'?: (number | string);
}

export interface Pass__Output {
  'name': (string);
  'role': (string);
  'hash': (string);
  'expiresMs': (number);
  'revokedMs': (number);
}
