// Original file: proto/isobatch/v1/isobatch.proto


export interface ShardHello {
  'index'?: (number);
  'version'?: (string);
}

export interface ShardHello__Output {
  'index': (number);
  'version': (string);
}
