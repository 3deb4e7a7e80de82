// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface RestoreFailed {
  'term'?: (number | string | Long);
  'step'?: (number | string | Long);
  'reason'?: (string);
}

export interface RestoreFailed__Output {
  'term': (number);
  'step': (number);
  'reason': (string);
}
