// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface EvaluationLease {
  'term'?: (number | string | Long);
  'version'?: (number | string | Long);
  'firstBatch'?: (number);
  'endBatch'?: (number);
}

export interface EvaluationLease__Output {
  'term': (number);
  'version': (number);
  'firstBatch': (number);
  'endBatch': (number);
}
