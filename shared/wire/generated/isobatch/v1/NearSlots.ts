// Original file: proto/isobatch/v1/isobatch.proto


export interface NearSlots {
  'slots'?: (number);
}

export interface NearSlots__Output {
  'slots': (number);
}
