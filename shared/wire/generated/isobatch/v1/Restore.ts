// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface Restore {
  'term'?: (number | string | Long);
  'step'?: (number | string | Long);
}

export interface Restore__Output {
  'term': (number);
  'step': (number);
}
