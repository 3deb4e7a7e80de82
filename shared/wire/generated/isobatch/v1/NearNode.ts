// Original file: proto/isobatch/v1/isobatch.proto


export interface NearNode {
  'lo'?: (number);
  'hi'?: (number);
  'slot'?: (number);
}

export interface NearNode__Output {
  'lo': (number);
  'hi': (number);
  'slot': (number);
}
