// Original file: proto/isobatch/v1/isobatch.proto

import type { SmoothedNoise as _isobatch_v1_SmoothedNoise, SmoothedNoise__Output as _isobatch_v1_SmoothedNoise__Output } from '../../isobatch/v1/SmoothedNoise.js';
import type { Long } from '@grpc/proto-loader';

export interface Restored {
  'term'?: (number | string | Long);
  'step'?: (number | string | Long);
  'microBatches'?: (number | string | Long);
  'c1'?: (number | string);
  'c2'?: (number | string);
  'noise'?: (_isobatch_v1_SmoothedNoise | null);
}

export interface Restored__Output {
  'term': (number);
  'step': (number);
  'microBatches': (number);
  'c1': (number);
  'c2': (number);
  'noise': (_isobatch_v1_SmoothedNoise__Output | null);
}
