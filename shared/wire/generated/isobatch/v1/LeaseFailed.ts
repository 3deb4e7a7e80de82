// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface LeaseFailed {
  'lease'?: (number | string | Long);
  'microBatch'?: (number | string | Long);
  'reason'?: (string);
  'nonFinite'?: (boolean);
  'transient'?: (boolean);
}

export interface LeaseFailed__Output {
  'lease': (number);
  'microBatch': (number);
  'reason': (string);
  'nonFinite': (boolean);
  'transient': (boolean);
}
