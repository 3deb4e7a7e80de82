// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchWeightsRequest {
  'workerId'?: (string);
  'epoch'?: (number | string | Long);
}

export interface WatchWeightsRequest__Output {
  'workerId': (string);
  'epoch': (number);
}
