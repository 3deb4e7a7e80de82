// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface ShardReady {
  'checkpoints'?: (number | string | Long)[];
}

export interface ShardReady__Output {
  'checkpoints': (number)[];
}
