// Original file: proto/isobatch/v1/isobatch.proto


export interface Numerics {
  'backend'?: (string);
  'version'?: (string);
  'architecture'?: (string);
  'flags'?: (string);
}

export interface Numerics__Output {
  'backend': (string);
  'version': (string);
  'architecture': (string);
  'flags': (string);
}
