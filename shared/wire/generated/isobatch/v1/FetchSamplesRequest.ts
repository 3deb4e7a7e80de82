// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface FetchSamplesRequest {
  'workerId'?: (string);
  'evaluation'?: (boolean);
  'first'?: (number | string | Long);
  'count'?: (number);
  'seal'?: (Buffer | Uint8Array | string);
  'every'?: (number);
  'times'?: (number);
}

export interface FetchSamplesRequest__Output {
  'workerId': (string);
  'evaluation': (boolean);
  'first': (number);
  'count': (number);
  'seal': (Buffer);
  'every': (number);
  'times': (number);
}
