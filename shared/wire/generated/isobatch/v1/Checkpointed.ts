// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface Checkpointed {
  'step'?: (number | string | Long);
  'error'?: (string);
}

export interface Checkpointed__Output {
  'step': (number);
  'error': (string);
}
