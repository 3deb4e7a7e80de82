// Original file: proto/isobatch/v1/isobatch.proto


export interface TokenInfo {
  'name'?: (string);
  'role'?: (string);
  'createdMs'?: (number | string);
  'lastUsedMs'?: (number | string);
  'expiresMs'?: (number | string);
  'revokedMs'?: (number | string);
}

export interface TokenInfo__Output {
  'name': (string);
  'role': (string);
  'createdMs': (number);
  'lastUsedMs': (number);
  'expiresMs': (number);
  'revokedMs': (number);
}
