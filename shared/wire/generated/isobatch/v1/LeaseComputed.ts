// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface LeaseComputed {
  'lease'?: (number | string | Long);
  'computeMs'?: (number | string);
  'samplesMs'?: (number | string);
}

export interface LeaseComputed__Output {
  'lease': (number);
  'computeMs': (number);
  'samplesMs': (number);
}
