// Original file: proto/isobatch/v1/isobatch.proto


export interface MergedRange {
  'lo'?: (number);
  'hi'?: (number);
  'worker'?: (string);
}

export interface MergedRange__Output {
  'lo': (number);
  'hi': (number);
  'worker': (string);
}
