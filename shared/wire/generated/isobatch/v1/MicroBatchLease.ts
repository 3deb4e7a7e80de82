// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface MicroBatchLease {
  'lease'?: (number | string | Long);
  'term'?: (number | string | Long);
  'step'?: (number | string | Long);
  'firstMicroBatch'?: (number | string | Long);
  'microBatches'?: (number);
  'lo'?: (number);
  'hi'?: (number);
  'leafCoefficients1'?: (number | string)[];
  'leafCoefficients2'?: (number | string)[];
  'mac'?: (Buffer | Uint8Array | string);
}

export interface MicroBatchLease__Output {
  'lease': (number);
  'term': (number);
  'step': (number);
  'firstMicroBatch': (number);
  'microBatches': (number);
  'lo': (number);
  'hi': (number);
  'leafCoefficients1': (number)[];
  'leafCoefficients2': (number)[];
  'mac': (Buffer);
}
