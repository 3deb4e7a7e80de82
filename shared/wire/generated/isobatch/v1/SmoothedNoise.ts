// Original file: proto/isobatch/v1/isobatch.proto


export interface SmoothedNoise {
  'trace'?: (number | string);
  'squaredGradient'?: (number | string);
  'weight'?: (number | string);
}

export interface SmoothedNoise__Output {
  'trace': (number);
  'squaredGradient': (number);
  'weight': (number);
}
