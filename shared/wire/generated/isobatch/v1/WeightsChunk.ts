// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface WeightsChunk {
  'term'?: (number | string | Long);
  'version'?: (number | string | Long);
  'chunk'?: (number);
  'weights'?: (Buffer | Uint8Array | string);
  'checksum'?: (Buffer | Uint8Array | string);
}

export interface WeightsChunk__Output {
  'term': (number);
  'version': (number);
  'chunk': (number);
  'weights': (Buffer);
  'checksum': (Buffer);
}
