// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchMetricsRequest {
  'fromLine'?: (number | string | Long);
}

export interface WatchMetricsRequest__Output {
  'fromLine': (number);
}
