// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface NearWeights {
  'term'?: (number | string | Long);
  'version'?: (number | string | Long);
  'sequence'?: (number);
}

export interface NearWeights__Output {
  'term': (number);
  'version': (number);
  'sequence': (number);
}
