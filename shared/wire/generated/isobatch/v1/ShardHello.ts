// Original file: proto/isobatch/v1/isobatch.proto


export interface ShardHello {
  'index'?: (number);
  'address'?: (string);
  'version'?: (string);
}

export interface ShardHello__Output {
  'index': (number);
  'address': (string);
  'version': (string);
}
