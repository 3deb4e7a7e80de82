// Original file: proto/isobatch/v1/isobatch.proto

import type { Coefficients as _isobatch_v1_Coefficients, Coefficients__Output as _isobatch_v1_Coefficients__Output } from '../../isobatch/v1/Coefficients.js';
import type { Long } from '@grpc/proto-loader';

export interface StepPlan {
  'term'?: (number | string | Long);
  'step'?: (number | string | Long);
  'firstMicroBatch'?: (number | string | Long);
  'microBatches'?: (number);
  'coefficients'?: (_isobatch_v1_Coefficients | null);
  'leafCoefficients1'?: (number | string)[];
  'leafCoefficients2'?: (number | string)[];
}

export interface StepPlan__Output {
  'term': (number);
  'step': (number);
  'firstMicroBatch': (number);
  'microBatches': (number);
  'coefficients': (_isobatch_v1_Coefficients__Output | null);
  'leafCoefficients1': (number)[];
  'leafCoefficients2': (number)[];
}
