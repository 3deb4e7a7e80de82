// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface Restored {
  'epoch'?: (number | string | Long);
  'step'?: (number | string | Long);
}

export interface Restored__Output {
  'epoch': (number);
  'step': (number);
}
