// Original file: proto/isobatch/v1/isobatch.proto


export interface CreateToken {
  'name'?: (string);
  'role'?: (string);
  'lastsMs'?: (number | string);
}

export interface CreateToken__Output {
  'name': (string);
  'role': (string);
  'lastsMs': (number);
}
