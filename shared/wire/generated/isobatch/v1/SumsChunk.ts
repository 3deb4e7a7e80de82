// Original file: proto/isobatch/v1/isobatch.proto


export interface SumsChunk {
  'lo'?: (number);
  'hi'?: (number);
  'chunk'?: (number);
  'sums'?: (Buffer | Uint8Array | string);
  'checksum'?: (Buffer | Uint8Array | string);
}

export interface SumsChunk__Output {
  'lo': (number);
  'hi': (number);
  'chunk': (number);
  'sums': (Buffer);
  'checksum': (Buffer);
}
