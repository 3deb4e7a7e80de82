// Original file: proto/isobatch/v1/isobatch.proto


export interface ShardAddress {
  'index'?: (number);
  'address'?: (string);
  'firstChunk'?: (number);
  'endChunk'?: (number);
}

export interface ShardAddress__Output {
  'index': (number);
  'address': (string);
  'firstChunk': (number);
  'endChunk': (number);
}
