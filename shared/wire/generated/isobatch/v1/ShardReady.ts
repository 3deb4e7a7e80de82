// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface ShardReady {
  'address'?: (string);
  'checkpoints'?: (number | string | Long)[];
}

export interface ShardReady__Output {
  'address': (string);
  'checkpoints': (number)[];
}
