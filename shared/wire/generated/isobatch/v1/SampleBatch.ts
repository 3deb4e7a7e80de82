// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface SampleBatch {
  'number'?: (number | string | Long);
  'samples'?: (number);
  'inputs'?: (Buffer | Uint8Array | string);
  'labels'?: (Buffer | Uint8Array | string);
  'checksum'?: (Buffer | Uint8Array | string);
}

export interface SampleBatch__Output {
  'number': (number);
  'samples': (number);
  'inputs': (Buffer);
  'labels': (Buffer);
  'checksum': (Buffer);
}
