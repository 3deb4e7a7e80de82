// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface RestoreFailed {
  'epoch'?: (number | string | Long);
  'step'?: (number | string | Long);
  'reason'?: (string);
}

export interface RestoreFailed__Output {
  'epoch': (number);
  'step': (number);
  'reason': (string);
}
