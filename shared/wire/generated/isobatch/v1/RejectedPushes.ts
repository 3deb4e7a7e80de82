// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface RejectedPushes {
  'reason'?: (string);
  'pushes'?: (number | string | Long);
}

export interface RejectedPushes__Output {
  'reason': (string);
  'pushes': (number);
}
