// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface ShardHello {
  'index'?: (number);
  'address'?: (string);
  'checkpoints'?: (number | string | Long)[];
  'version'?: (string);
}

export interface ShardHello__Output {
  'index': (number);
  'address': (string);
  'checkpoints': (number)[];
  'version': (string);
}
