// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface Covered {
  'term'?: (number | string | Long);
  'step'?: (number | string | Long);
  'lo'?: (number);
  'hi'?: (number);
}

export interface Covered__Output {
  'term': (number);
  'step': (number);
  'lo': (number);
  'hi': (number);
}
