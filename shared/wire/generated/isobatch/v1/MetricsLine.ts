// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface MetricsLine {
  'line'?: (number | string | Long);
  'json'?: (string);
}

export interface MetricsLine__Output {
  'line': (number);
  'json': (string);
}
