// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface Restored {
  'epoch'?: (number | string | Long);
  'step'?: (number | string | Long);
  'microBatches'?: (number | string | Long);
  'c1'?: (number | string);
  'c2'?: (number | string);
}

export interface Restored__Output {
  'epoch': (number);
  'step': (number);
  'microBatches': (number);
  'c1': (number);
  'c2': (number);
}
