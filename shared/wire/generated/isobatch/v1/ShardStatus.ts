// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface ShardStatus {
  'index'?: (number);
  'address'?: (string);
  'state'?: (string);
  'version'?: (number | string | Long);
  'firstChunk'?: (number);
  'endChunk'?: (number);
}

export interface ShardStatus__Output {
  'index': (number);
  'address': (string);
  'state': (string);
  'version': (number);
  'firstChunk': (number);
  'endChunk': (number);
}
