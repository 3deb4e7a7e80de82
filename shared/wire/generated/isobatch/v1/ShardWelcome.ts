// Original file: proto/isobatch/v1/isobatch.proto


export interface ShardWelcome {
  'runId'?: (string);
  'leaseKey'?: (Buffer | Uint8Array | string);
  'layoutJson'?: (string);
  'firstChunk'?: (number);
  'endChunk'?: (number);
  'taskHash'?: (string);
}

export interface ShardWelcome__Output {
  'runId': (string);
  'leaseKey': (Buffer);
  'layoutJson': (string);
  'firstChunk': (number);
  'endChunk': (number);
  'taskHash': (string);
}
