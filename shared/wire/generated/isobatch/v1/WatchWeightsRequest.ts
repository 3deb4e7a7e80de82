// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchWeightsRequest {
  'workerId'?: (string);
  'term'?: (number | string | Long);
  'seal'?: (Buffer | Uint8Array | string);
}

export interface WatchWeightsRequest__Output {
  'workerId': (string);
  'term': (number);
  'seal': (Buffer);
}
