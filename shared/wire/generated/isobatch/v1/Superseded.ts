// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface Superseded {
  'term'?: (number | string | Long);
  'step'?: (number | string | Long);
}

export interface Superseded__Output {
  'term': (number);
  'step': (number);
}
