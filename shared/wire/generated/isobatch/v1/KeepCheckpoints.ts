// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface KeepCheckpoints {
  'steps'?: (number | string | Long)[];
}

export interface KeepCheckpoints__Output {
  'steps': (number)[];
}
